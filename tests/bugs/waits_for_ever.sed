# SPDX-License-Identifier: MIT
# A connection without a request stays.
# file: tools/magpie/serve_conn.c
# test: script.serve_deadlines
s/#define IDLE_NS \(60 \* MAG_SECOND\)/#define IDLE_NS (86400 * MAG_SECOND)/
