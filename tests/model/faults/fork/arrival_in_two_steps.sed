# SPDX-License-Identifier: MIT
# arrive: a load and a store, between which the parent comes to its join.
s/\tif \(magi_add_ar\(&parent->arrived, 1\) == -1\)/\tint32_t was = magi_load_acq(\&parent->arrived);\n\n\tmagi_store_rel(\&parent->arrived, was + 1);\n\tif (was == -1)/
