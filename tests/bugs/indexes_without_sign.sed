# SPDX-License-Identifier: MIT
# steal: an owner that has just lowered bottom below top seems to have more than there is.
# file: include/magpie/impl/deque.h
# test: unit.deque deque/bottom_below_top_is_empty
s/if \(s - t <= 0\)/if ((uint64_t)(s - t) == 0)/
