# SPDX-License-Identifier: MIT
# turn: who has slept until a token is there goes without taking it, and the next one looks at the same clock.
# file: src/resilience/limiter.c
# test: unit.limiter limiter/hundred_requests_at_ten_a_second_and_five_at_once_take_9_9_seconds
# test: unit.limiter limiter/burst_goes_at_once_and_the_rest_at_the_rate
s/(\t\tMAG_AWAIT\(self->rc, mag_sleep_until, self->at\);\n\t\t)self->slept = true;/\1break;/
