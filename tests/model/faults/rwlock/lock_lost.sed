# SPDX-License-Identifier: MIT
# serve: the lock counts as given also when its waiter turns out to be cancelled.
s/(\t\tif \(!magi_wait_take\(&l->waitq, first\)\)\n\t\t\tcontinue;\n)\t\ts = after;\n/\t\ts = after;\n\1/
