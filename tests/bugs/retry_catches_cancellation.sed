# SPDX-License-Identifier: MIT
# magi_retry_again: a pause that was cut short is followed by another attempt.
# file: src/resilience/retry.c
# test: unit.retry_cancel retry/cancellation_ends_it_wherever_it_is
s/\tif \(f->op.result < 0\) \{/\tif (0) {/
