# SPDX-License-Identifier: MIT
# try_recv: who sees that a value is there does not wait until its sender has let go of the oneshot.
s/(\t\treturn -EAGAIN;\n)\tmagi_lock_acquire\(lock_of\(o\)\);\n(\trc = take\(o, value\);\n)\tmagi_lock_release\(lock_of\(o\)\);\n/\1\2/
