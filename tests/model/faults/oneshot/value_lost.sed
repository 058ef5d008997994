# SPDX-License-Identifier: MIT
# deliver: the value goes with a receiver whose canceller came first.
s/(\(!magi_wait_take\(&o->waitq, first\)\)\n)\t\t\tcontinue;/\1\t\t\treturn NULL;/
