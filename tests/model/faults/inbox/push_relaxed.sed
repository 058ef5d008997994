# SPDX-License-Identifier: MIT
# push_inbox: the task's contents do not come with it.
s/!magi_cas_seq\(inbox, &head, f\)/!magi_cas_rlx(inbox, \&head, f)/
