# SPDX-License-Identifier: MIT
# begin_wait: each piece of a head gets its time anew.
# file: tools/magpie/serve_answer.c
# test: script.serve_raw
s/if \(wait == SERVE_WAIT_IDLE \|\| fresh \|\| wait != c->input\)/if (wait != SERVE_WAIT_BODY || fresh || wait != c->input)/
