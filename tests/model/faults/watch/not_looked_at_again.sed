# SPDX-License-Identifier: MIT
# changed: a value that comes between the look and the lock is not seen.
s/(\tmagi_lock_acquire\(lock_of\(watch\)\);\n\trc = )look\(watch, seen\)/\1-EAGAIN/
