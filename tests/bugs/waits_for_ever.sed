# SPDX-License-Identifier: MIT
# A connection without a request stays.
# file: src/http_server/http_conn.c
# test: script.serve_deadlines
s/at = after\(c->input_since, o->idle_ns\);/at = after(c->input_since, 86400 * MAG_SECOND);/
