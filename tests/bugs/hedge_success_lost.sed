# SPDX-License-Identifier: MIT
# magi_hedge_result: when it was cancelled nobody looks whether an attempt has succeeded.
# file: src/resilience/hedge.c
# test: unit.hedge hedge/success_beats_the_cancellation
s/\t\tif \(h->winner < 0\)\n\t\t\th->winner = \(int32_t\)i;\n\t\telse if/\t\tif/
