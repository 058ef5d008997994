# SPDX-License-Identifier: MIT
# mark: the waiting leaf is read before the task is claimed; when the count of parks comes round it is another one.
# file: src/task/cancel.c
# test: unit.cancel_held cancel_held/the_leaf_is_the_one_that_waits_also_when_the_count_of_parks_has_come_round
s/(\tuint64_t token;[^\n]*\n)/\1\tmag_frame *early;\n/
s/(\tdo \{[^\n]*\n)(\t\ts = magi_load)/\1\t\tearly = magi_load_rlx(\&leader->q.leaf);\n\2/
s/mag_frame \*leaf = magi_load_[a-z]+\(&leader->q\.leaf\);/mag_frame *leaf = early;/
