# SPDX-License-Identifier: MIT
# push: one more than there are slots: the slot of a frame that thieves still look at is written.
# file: include/magpie/impl/deque.h
# test: unit.deque_small deque_small/full_one_refuses
# test: model.deque
s/(if \(MAGI_UNLIKELY\(b - d->top_seen) >= MAGI_DEQUE_CAPACITY/\1 > MAGI_DEQUE_CAPACITY/
s/(if \(b - d->top_seen) < MAGI_DEQUE_CAPACITY/\1 <= MAGI_DEQUE_CAPACITY/
