# SPDX-License-Identifier: MIT
# close: who sees that it is closed need not see what came before.
s/magi_store_rel(\(&watch->version, version \| MAGI_WATCH_CLOSED\))/magi_store_rlx\1/
