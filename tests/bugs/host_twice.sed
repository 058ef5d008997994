# SPDX-License-Identifier: MIT
# A second Host is passed.
# file: src/http_server/http_fields.c
# test: http.request http_request/host_is_there_once_and_is_a_host
s/return f->hosts == 1 && f->host/return f->host/
