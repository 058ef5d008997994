# SPDX-License-Identifier: MIT
# timer_wanted: a timer of 0 is run where libcurl asks for it, inside its own call.
# file: src/http_client/lane.c
# test: http_client.get http_get/requests_one_after_the_other_share_a_connection
s/\tlane->due = ms < 0 \? MAG_NEVER : ms == 0 \? 0 :/\tif (ms == 0) {\n\t\tint running;\n\t\tcurl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, \&running);\n\t\treturn 0;\n\t}\n&/
