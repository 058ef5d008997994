# SPDX-License-Identifier: MIT
# pop and take_back store bottom relaxed, push releases: whoever sees such a store has no part of the push before it.
s/magi_store_rel\(&d->bottom, b\); (\/\* \[limit\])/magi_store_rlx(\&d->bottom, b); \1/g
