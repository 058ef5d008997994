# SPDX-License-Identifier: MIT
# try_again: nobody is looked at behind a woken one that was cancelled.
s/\tif \(magi_load_rlx\(&s->state\) & WAITERS\) \/\* \[permit\] \*\/\n\t\tlist = serve\(s, 0, NULL\);\n//
