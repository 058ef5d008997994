# SPDX-License-Identifier: MIT
# give_handle: a finished member for an owner whose canceller came first is not listed.
# file: src/task/handle.c
# test: unit.member_lost member_lost/member_for_one_that_is_being_cancelled_is_kept
s/(\t\tif \(!magi_wait_take\(&g->news, f\)\)[^\n]*\n\t\t\t)continue;/\1return;/
