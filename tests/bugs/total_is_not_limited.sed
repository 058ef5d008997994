# SPDX-License-Identifier: MIT
# transfer: the whole may take any time.
# file: src/http_client/transfer.c
# test: http_client.faults http_faults/first_byte_total_and_low_speed_have_their_limits
s/x->deadline = t->call->limits.total_ns < [^;]*;/x->deadline = MAG_NEVER;/
