# SPDX-License-Identifier: MIT
# join: who finds children outstanding does not say that it waits.
s/magi_sub_ar\(&f->arrived, taken\) == taken/magi_load_acq(\&f->arrived) == taken/
