# SPDX-License-Identifier: MIT
# enter: there may be more connections than there are places.
# file: src/http_server/http_gate.c
# test: script.serve_limits
s/if \(g->now < g->max\)/if (g->now < 2 * g->max)/
s/calloc\(max, sizeof \*g->places\)/calloc(2 * max, sizeof *g->places)/
