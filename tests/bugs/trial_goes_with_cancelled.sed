# SPDX-License-Identifier: MIT
# judge: a half-open breaker waits for a trial that was cancelled.
# file: src/resilience/breaker.c
# test: unit.breaker breaker/place_of_a_cancelled_trial_is_anothers
# test: unit.breaker_block breaker/trial_that_was_cancelled_leaves_its_place
s/\tb->out--;[^\n]*/\tif (outcome == MAG_BREAKER_IGNORED)\n\t\treturn word;\n\tb->out--;/
