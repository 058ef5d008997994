# SPDX-License-Identifier: MIT
# complete: the future may be gone when it asks whether a foreign thread waits.
s/\tforeign = future->foreign;\n//
s/(\tmagi_lock_release\(lock\);\n)(\t\/\* From here on)/\1\tforeign = future->foreign;\n\2/
