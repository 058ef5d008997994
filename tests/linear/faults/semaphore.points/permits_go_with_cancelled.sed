# SPDX-License-Identifier: MIT
# serve: permits for a waiter whose canceller came first are gone.
s/(\t\tif \(!magi_wait_take\(&s->waitq, first\)\)\n\t\t\tcontinue;\n)(\t\tpermits -= need;\n)/\2\1/
