# SPDX-License-Identifier: MIT
# pop: the owner looks whether it is private before it says that it takes it.
s/\tmagi_store_rel\(&d->bottom, b\);([^\n]*\n)\tmagi_fence_compiler\(\);\n\tif \(MAGI_LIKELY\(magi_load_rlx\(&d->limit\) <= b\)\)([^\n]*\n)\t\treturn magi_load_rlx/\tbool private = magi_load_acq(\&d->limit) <= b;\1\tmagi_store_rel(\&d->bottom, b);\n\tif (private)\2\t\treturn magi_load_rlx/
