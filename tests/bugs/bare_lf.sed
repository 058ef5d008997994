# SPDX-License-Identifier: MIT
# A line may end without CR.
# file: src/http_server/http_guard.c
# test: http.smuggling http_smuggling/lines_and_fields_have_one_form
s/(\tif \(\(n > 1 \? s\[n - 2\] : before\) != '\\r')\)/\1 \&\& !before)/
s/ \|\| t\[10\] != '\\r'\)/)/
