# SPDX-License-Identifier: MIT
# The connection stays open after a request that was refused.
# file: tools/magpie/serve_answer.c
# test: script.serve_raw
s/c->closing \|= http_closing\(&c->parser\) \|\| !keep_spill\(c, here\);/c->closing |= !keep_spill(c, here);/
s/(static void serve_say|void serve_say)([^}]*\};[^}]*)\tc->closing \|= !a\.keep_alive;/\1\2/
