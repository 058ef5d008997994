# SPDX-License-Identifier: MIT
# short_of: an accept without descriptors is tried again at once, over and over.
# file: src/net/acceptor.c
# test: unit.acceptor_world acceptor_world/without_descriptors_it_asks_now_and_then
s/return \(struct magi_source_turn\)\{ MAGI_SOURCE_LATER, 0, ms \* MAGI_NS_PER_MS \};/return (struct magi_source_turn){ MAGI_SOURCE_AGAIN, 0, 0 };/
