# SPDX-License-Identifier: MIT
# A Content-Length beside a Transfer-Encoding is passed.
# file: src/http_server/http_head.c
# test: http.smuggling http_smuggling/length_is_one_number_and_alone
s/lenient_flags = LENIENT_VERSION;/lenient_flags = LENIENT_VERSION | LENIENT_CHUNKED_LENGTH;/
