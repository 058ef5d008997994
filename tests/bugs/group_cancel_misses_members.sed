# SPDX-License-Identifier: MIT
# walk: cancelling a group reaches the members of some workers only.
# file: src/task/cancel.c
# test: unit.cancel cancel/it_reaches_forked_children_called_frames_groups_and_handles_but_not_shields
s/for \(int i = 0; i < MAGI_SHARDS - 1; i\+\+\)[^\n]*\n\t\t\twalk_shard/for (int i = MAGI_SHARDS; i < MAGI_SHARDS - 1; i++)\n\t\t\twalk_shard/
