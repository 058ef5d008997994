# SPDX-License-Identifier: MIT
# push: the frame's contents do not come with it.
s/magi_store_rel\(&d->bottom, b \+ 1\);( *\/\* \[publish\] \*\/\n\treturn true)/magi_store_rlx(\&d->bottom, b + 1);\1/
