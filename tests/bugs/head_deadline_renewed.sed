# SPDX-License-Identifier: MIT
# begin_wait: each piece of a head gets its time anew.
# file: src/http_server/http_answer.c
# test: script.serve_raw
s/if \(wait == HTTP_WAIT_IDLE \|\| fresh \|\| wait != c->input\)/if (wait != HTTP_WAIT_BODY || fresh || wait != c->input)/
