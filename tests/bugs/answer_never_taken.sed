# SPDX-License-Identifier: MIT
# goes_on: a client may take its answer as slowly as it likes, or not at all.
# file: tools/magpie/serve_conn.c
# test: script.serve_deadlines
s/if \(\(c->take_left - left\) \* \(int64_t\)BYTE_NS < \(int64_t\)TAKE_NS\)/if (left < 0)/
