# SPDX-License-Identifier: MIT
# judge: the policy is asked about everything, and what somebody has called off is done again.
# file: src/resilience/retry.c
# test: unit.retry_cancel retry/attempt_that_was_called_off_is_the_last
s/\tif \(r->result == MAG_ECANCELED\)\n\t\treturn MAG_RETRY_CANCELED;\n//
