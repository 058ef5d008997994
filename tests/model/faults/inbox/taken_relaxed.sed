# SPDX-License-Identifier: MIT
# take_inbox: the exchange does not acquire, and the look before it saw an older one.
s/f = magi_xchg_acq\(inbox, NULL\)/f = magi_xchg_rel(inbox, NULL)/
