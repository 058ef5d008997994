# SPDX-License-Identifier: MIT
# take_inbox: a load and a store, and what is sent in between is lost.
s/f = magi_xchg_acq\(inbox, NULL\);/f = magi_load_acq(inbox);\n\tmagi_store_rel(inbox, NULL);/
