# SPDX-License-Identifier: MIT
# A head may have any number of fields.
# file: src/http_server/http_request.h
# test: http.limits http_limits/a_request_has_100_fields
s/#define HTTP_FIELDS_MAX 100u/#define HTTP_FIELDS_MAX 60000u/
