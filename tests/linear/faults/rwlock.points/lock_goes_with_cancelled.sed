# SPDX-License-Identifier: MIT
# serve: the lock of a waiter whose canceller came first is nobody's.
s/(\t\tif \(!magi_wait_take\(&l->waitq, first\)\)\n\t\t\tcontinue;\n)(\t\ts = after;\n)/\2\1/
