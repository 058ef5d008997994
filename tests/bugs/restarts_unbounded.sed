# SPDX-License-Identifier: MIT
# within_bounds: what fails is started again for ever.
# file: src/life/background.c
# test: unit.background background/that_fails_too_often_is_given_up
# test: unit.background background/that_ends_too_often_is_given_up
s/return e->task.restarts_max == UINT32_MAX \|\|/return true ||/
