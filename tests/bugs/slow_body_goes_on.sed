# SPDX-License-Identifier: MIT
# goes_on: a body may come as slowly as it likes.
# file: tools/magpie/serve_conn.c
# test: script.serve_raw
s/ && c->input_bytes \* BYTE_NS >= BODY_NS\)/ \&\& c->input_bytes)/
