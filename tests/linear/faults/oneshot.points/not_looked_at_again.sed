# SPDX-License-Identifier: MIT
# recv: a value that comes between the look and the lock is not seen.
s/(\tmagi_lock_acquire\(lock_of\(o\)\);\n\trc = )take\(o, value\)(;\n\tif \(rc == -EAGAIN\) \{)/\1-EAGAIN\2/
