# SPDX-License-Identifier: MIT
# deliver: the value for a receiver whose canceller came first is gone.
s/(\(!magi_wait_take\(&o->waitq, first\)\)\n\t\t\t)continue;/\1break;/
s/\tmemcpy\(o->room, value, o->size\);\n\tbecome\(o, SENT\);/\tif (!first) {\n\t\tmemcpy(o->room, value, o->size);\n\t\tbecome(o, SENT);\n\t}/
