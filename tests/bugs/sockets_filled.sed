# SPDX-License-Identifier: MIT
# bound_unsent: the socket of a client that takes nothing is filled, with megabytes.
# file: src/http_server/http_file.c
# test: script.serve_files
s/UNSENT_MAX = 256 << 10,/UNSENT_MAX = 256 << 20,/
