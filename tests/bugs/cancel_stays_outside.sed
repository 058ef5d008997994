# SPDX-License-Identifier: MIT
# walk_shard: a cancellation does not reach the scopes inside: who waits there with a deadline of its own goes on.
# file: src/task/cancel.c
# test: unit.cancel cancel/it_reaches_forked_children_called_frames_groups_and_handles_but_not_shields
# test: unit.scope scope/each_of_two_deadlines_is_reported_by_its_own_scope
s/if \(magi_cas_[a-z]+\(&s->cancelled, &none, MAG_ECANCELED\)\)/if (none)/
