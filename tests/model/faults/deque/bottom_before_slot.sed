# SPDX-License-Identifier: MIT
# push: as a CPU may do with two stores that are both relaxed; x86 keeps their order.
s/(\tmagi_store_rlx\(magi_deque_slot\(d, b\), f\);[^\n]*\n)(\tmagi_store_rel\(&d->bottom, b \+ 1\);[^\n]*\n)(\treturn true;)/\2\1\3/
