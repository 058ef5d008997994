# SPDX-License-Identifier: MIT
# set: where it is set already a look is enough: who has reset it meanwhile misses what came before.
s/if \(magi_cas_[a-z]+\(&e->state, &s, s\)\)/if (s)/
