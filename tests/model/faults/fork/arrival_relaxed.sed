# SPDX-License-Identifier: MIT
# arrive: what the child wrote does not come with it.
s/magi_add_ar\(&parent->arrived, 1\)/magi_add_rlx(\&parent->arrived, 1)/
