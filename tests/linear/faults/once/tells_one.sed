# SPDX-License-Identifier: MIT
# done: one of those who wait is told.
s/\t\tlist = magi_wait_grant_all\(&o->waitq, 0\);\n/\t\tlist = magi_wait_grant(\&o->waitq, 0);\n\t\tif (list)\n\t\t\tmagi_store_rlx(\&list->q.next, NULL);\n/
