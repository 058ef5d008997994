# SPDX-License-Identifier: MIT
# done: if the canceller of the first waiter came first, nobody is elected.
s/\t\tlist = magi_wait_grant\(&o->waitq, 1\);\n/\t\tlist = magi_wait_first(\&o->waitq);\n\t\tif (list \&\& !magi_wait_take(\&o->waitq, list))\n\t\t\tlist = NULL;\n\t\telse if (list)\n\t\t\tlist->op.result = 1;\n/
