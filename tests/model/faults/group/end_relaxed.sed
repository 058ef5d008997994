# SPDX-License-Identifier: MIT
# flush: what the members wrote does not come with it.
s/magi_sub_ar\(&g->balance, n\)/magi_sub_rlx(\&g->balance, n)/
