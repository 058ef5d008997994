# SPDX-License-Identifier: MIT
# mag_breaker_allow: the word is what it was before the lock was had.
s/\t\twas = word = magi_load_rlx\(&b->circuit\);[^\n]*\n(\t\trc = ask)/\1/
