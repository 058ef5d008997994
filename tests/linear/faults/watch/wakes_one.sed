# SPDX-License-Identifier: MIT
# send: only the first who waits goes on.
s/(\t\tlist = magi_wait_grant)_all(\(&watch->waitq, 0\);\n)/\1\2\t\tif (list)\n\t\t\tlist->q.next = NULL;\n/
