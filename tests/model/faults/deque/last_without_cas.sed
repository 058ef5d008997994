# SPDX-License-Identifier: MIT
# pop_shared: the owner takes the last one as if no thief could.
s/t > b \|\| !magi_cas_rel\(&d->top, &t, t \+ 1\)/t > b/
