# SPDX-License-Identifier: MIT
# pop_shared: the exchange is a plain store.
s/\(void\)magi_xchg_seq\(&d->split, split\)/magi_store_rel(\&d->split, split)/
