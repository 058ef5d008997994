# SPDX-License-Identifier: MIT
# An item that a stream's wait has brought is dropped when its asker was cancelled afterwards.
# file: src/stream/source.c
# seconds: 20
# test: unit.streams_wait streams_wait/what_was_granted_before_the_cancel_is_given
# test: unit.streams_cancel streams_cancel/given_and_cancelled_at_once_is_one_of_both
s/(static int64_t queue_woken[^}]*)s->held = room;/\1s->held = magi_cancelled(f) ? NULL : room;/
