# SPDX-License-Identifier: MIT
# A request line may be as long as it likes.
# file: tools/magpie/http_guard.c
# test: http.limits
s/g->room = \(uint32_t\)target_max \+ LINE_EXTRA;/g->room = (uint32_t)target_max + (1u << 20);/
