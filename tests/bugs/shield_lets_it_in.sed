# SPDX-License-Identifier: MIT
# walk_shard, mark: an await of the cleanup under a shield is cancelled, too.
# file: src/task/cancel.c
# test: unit.scope scope/shields_keep_cancellation_out_until_their_grace_is_over
s/if \(!\(s->flags & MAGI_SCOPE_SHIELD\) && /if (/
s/outside = \(s & MAGI_DEPTH_MASK\) \/ MAGI_DEPTH != depth;/outside = depth > 255;/
