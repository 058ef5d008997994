# SPDX-License-Identifier: MIT
# unlock: what a reader or writer did is not handed on.
s/return magi_cas_ar\(&rwlock->state, &from, to\);/return magi_cas_acq(\&rwlock->state, \&from, to);/
