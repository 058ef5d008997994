# SPDX-License-Identifier: MIT
# flush: a load and a store, between which others end or the owner joins.
s/\tif \(magi_sub_ar\(&g->balance, n\) - n != 1\)[^\n]*\n/\tint64_t was = magi_load_acq(\&g->balance);\n\n\tmagi_store_rel(\&g->balance, was - n);\n\tif (was - n != 1)\n/
