# SPDX-License-Identifier: MIT
# get_handed: at a rendezvous the element of a pusher that was cancelled is taken all the same.
s/(\t\tif \(!magi_wait_take\(&q->waitq, f\)\)\n\t\t\tcontinue;\n)(\t\tcopy\(item, pushed_by[^\n]*\n)/\2\t\tif (!magi_wait_take(\&q->waitq, f))\n\t\t\treturn 0;\n/
