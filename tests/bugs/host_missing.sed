# SPDX-License-Identifier: MIT
# A request of HTTP/1.1 without a Host is passed.
# file: src/http_server/http_fields.c
# test: http.request http_request/host_is_there_once_and_is_a_host
s/\t\treturn !required;/\t\treturn required || !required;/
