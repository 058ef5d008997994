# SPDX-License-Identifier: MIT
# get_handed: the element of a pusher whose canceller came first is taken all the same.
s/(\t\tif \(!magi_wait_take\(&q->waitq, f\)\)\n\t\t\tcontinue;\n)(\t\tcopy\(item, pushed_by[^\n]*\n)/\2\t\tif (!magi_wait_take(\&q->waitq, f))\n\t\t\treturn 0;\n/
