# SPDX-License-Identifier: MIT
# on_body: an answer may be as large as it likes.
# file: src/http_client/callbacks.c
# test: http_client.stream http_stream/an_end_in_the_middle_a_limit_and_a_cancellation_are_told
s/if \(length > x->call->limits.body_max \|\| [^\n]*\)/if (0)/
