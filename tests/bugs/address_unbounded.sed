# SPDX-License-Identifier: MIT
# enter: one address may have all connections.
# file: src/http_server/http_gate.c
# test: script.serve_limits
s/if \(g->places\[ticket\]\.count == g->each\)/if (g->places[ticket].count == g->max)/
