# SPDX-License-Identifier: MIT
# What comes after a request that was refused is taken for the next one, and refused again.
# file: src/http_server/http_request.c
# test: http.request http_request/bytes_after_an_error_are_dropped_and_it_is_told_once
s/if \(p->status == 0 \|\| p->reported\)/if (p->status == 0)/
