# SPDX-License-Identifier: MIT
# unlock: the head was cancelled; who has begun to wait since then is not asked for.
s/\t\ts = magi_load_rlx\(&m->state\); \/\* \[mutex\] another[^\n]*\n/\t\ts = magi_load_rlx(\&m->state);\n\t\tif (magi_cas_rel(\&m->state, \&s, s \& MAGI_MUTEX_BITS))\n\t\t\treturn NULL;\n/
