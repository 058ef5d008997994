# SPDX-License-Identifier: MIT
# goes_on: a body may come as slowly as it likes.
# file: src/http_server/http_conn.c
# test: script.serve_raw
s/ && c->input_bytes >= bytes_of\(c\)\)/ \&\& c->input_bytes)/
