# SPDX-License-Identifier: MIT
# A second Content-Length is passed.
# file: src/http_server/http_head.c
# test: http.smuggling http_smuggling/length_is_one_number_and_alone
s/(static int on_field[^}]*)(\tmagi_http_field_name)/\1\tll->flags \&= (uint16_t)~F_CONTENT_LENGTH;\n\2/
