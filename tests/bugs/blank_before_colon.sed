# SPDX-License-Identifier: MIT
# A blank before the colon, and NUL in values, are passed.
# file: src/http_server/http_head.c
# test: http.smuggling http_smuggling/lines_and_fields_have_one_form
s/lenient_flags = LENIENT_VERSION;/lenient_flags = LENIENT_VERSION | LENIENT_HEADERS;/
