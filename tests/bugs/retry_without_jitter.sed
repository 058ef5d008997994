# SPDX-License-Identifier: MIT
# draw_pause: those that failed together come back together.
# file: src/resilience/retry.c
# test: unit.retry retry/jitter_spreads_the_pauses_within_their_bounds
s/\t\tpause = magi_draw\(random, delay\);/\t\tpause = delay;/
