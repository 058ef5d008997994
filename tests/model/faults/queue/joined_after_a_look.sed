# SPDX-License-Identifier: MIT
# join: what is done between the look at the number and the lock of the joiners is not seen.
s/\tmagi_lock_acquire\(joiners\);\n\tmagi_lock_release\(lock\);\n/\tmagi_lock_release(lock);\n\tmagi_lock_acquire(joiners);\n/
