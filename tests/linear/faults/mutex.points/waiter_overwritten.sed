# SPDX-License-Identifier: MIT
# unlock: between its look at the word and its store somebody begins to wait, and that is lost.
s/if \(magi_cas_rel\(&m->state, &s, s & MAGI_MUTEX_BITS\)\)[^\n]*\n\t+return NULL;\n\t+continue;/magi_store_rel(\&m->state, s \& MAGI_MUTEX_BITS);\n\t\t\treturn NULL;/
