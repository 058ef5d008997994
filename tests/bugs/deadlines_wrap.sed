# SPDX-License-Identifier: MIT
# saturate_add: now and a very long time together are a moment that has passed.
# file: src/base/clock.h
# test: unit.clock clock/sums_of_times_saturate_at_never
# test: unit.timer timer/never_is_never_and_sums_saturate
s/return a \+ b < a \? UINT64_MAX : a \+ b;/return a + b;/
