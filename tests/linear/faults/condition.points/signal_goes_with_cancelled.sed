# SPDX-License-Identifier: MIT
# signal: one for a waiter whose canceller came first is gone.
s/\tf = magi_wait_grant\(&c->waitq, 0\);\n/\tf = magi_wait_first(\&c->waitq);\n\tif (f \&\& !magi_wait_take(\&c->waitq, f))\n\t\tf = NULL;\n\telse if (f)\n\t\tf->op.result = 0;\n/
