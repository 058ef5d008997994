# SPDX-License-Identifier: MIT
# judge: no time for all attempts together.
# file: src/resilience/retry.c
# test: unit.retry retry/ends_at_once_when_the_pause_would_be_too_long
s/\tif \(magi_saturate_add\(r->paused_at, r->pause_ns\) >= r->deadline\)\n\t\treturn MAG_RETRY_TOO_LATE;\n//
