# SPDX-License-Identifier: MIT
# steal: indexes are compared in 32 bits, which is wrong once they have come round.
# file: include/magpie/impl/deque.h
# test: unit.deque deque/indexes_may_be_anything_that_64_bits_hold
s/if \(s - t <= 0\)/if ((int32_t)s <= (int32_t)t)/
