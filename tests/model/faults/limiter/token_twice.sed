# SPDX-License-Identifier: MIT
# take: the time when the bucket is full is stored, whoever has taken from it since it was read.
s/while \(!magi_cas_rlx\(&l->full_at, &full, (magi_saturate_add\([^;]*\))\)\);/while (magi_store_rlx(\&l->full_at, \1), 0);/
