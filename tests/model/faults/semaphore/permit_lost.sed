# SPDX-License-Identifier: MIT
# serve: a permit counts as given also when its waiter turns out to be cancelled.
s/(\t\tif \(!magi_wait_take\(&s->waitq, first\)\)\n\t\t\tcontinue;\n)\t\tpermits -= need;\n/\t\tpermits -= need;\n\1/
