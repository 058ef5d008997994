# SPDX-License-Identifier: MIT
# mag_breaker_end_as: what was let through before a change is heeded after it.
# file: src/resilience/breaker.c
# test: unit.breaker breaker/results_of_before_its_change_are_not_heeded
s/\tif \(permit->circuit == word\)/\tif (1)/
