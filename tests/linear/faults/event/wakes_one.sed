# SPDX-License-Identifier: MIT
# set: one of those who wait goes on.
s/list = magi_wait_grant_all\(&e->waitq, 0\);/if ((list = magi_wait_grant(\&e->waitq, 0)))\n\t\t\tmagi_store_rlx(\&list->q.next, NULL);/
