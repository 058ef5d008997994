# SPDX-License-Identifier: MIT
# The connection stays open after a request that was refused.
# file: src/http_server/http_answer.c
# test: script.serve_raw
s/(static void fault[^}]*\{\n)\tc->closing = true;\n/\1/
s/c->closing \|= magi_http_closing\(&c->parser\);/;/
s/(void magi_http_say[^}]*\};[^}]*)\tc->closing \|= !a\.keep_alive \|\| n <= 0;/\1/
