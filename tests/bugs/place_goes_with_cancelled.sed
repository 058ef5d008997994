# SPDX-License-Identifier: MIT
# pass_place: the place for a spawn whose canceller came first is gone.
# file: src/task/member.c
# test: unit.member_lost member_lost/place_for_one_that_is_being_cancelled_is_free
s/(\t\tif \(!magi_wait_take\(&g->places, f\)\)[^\n]*\n\t\t\t)continue;[^\n]*/\1return;/
