# SPDX-License-Identifier: MIT
# wait: between its look at the word and its store the event is set, and that is lost.
s/while \(!magi_cas_[a-z]+\(&e->state, &s, s \| WAITERS\)\);/while (magi_store_rel(\&e->state, s | WAITERS), false);/
