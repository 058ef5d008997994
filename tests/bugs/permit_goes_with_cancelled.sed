# SPDX-License-Identifier: MIT
# turn: who is cancelled, or too late, while it waits for tokens keeps the place that it has waited for.
# file: src/resilience/limiter.c
# test: unit.limiter limiter/deadlines_are_kept_and_take_nothing
s/if \(self->rc < 0 && self->place\)\n\t\t[^\n]*\n//
