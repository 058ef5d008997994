# SPDX-License-Identifier: MIT
# mag_pool_loan_exit: what was in use when its task was cancelled is lent to the next one.
# file: src/resilience/pool_take.c
# test: unit.pool pool/what_was_in_use_when_its_task_was_cancelled_is_dropped
s/\tif \(\(self->why == MAG_ECANCELED[^\n]*\n[^\n]*\n//
