# SPDX-License-Identifier: MIT
# add: a receiver whose canceller came first misses the element.
s/(\t\tif \(!magi_wait_take\(&b->waitq, f\)\))\n\t\t\tcontinue;/\1 {\n\t\t\tr->next = after;\n\t\t\tcontinue;\n\t\t}/
