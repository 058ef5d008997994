# SPDX-License-Identifier: MIT
# claim: a look and a store, between which a canceller claims the same waiter.
s/while \(!magi_cas_rlx\(&leader->state, &s, s & ~\(uint32_t\)MAGI_PARKED\)\);[^\n]*\n\treturn true;/while (0);\n\tmagi_store_rel(\&leader->state, s \& ~(uint32_t)MAGI_PARKED);\n\treturn true;/
