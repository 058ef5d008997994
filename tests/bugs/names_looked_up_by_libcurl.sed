# SPDX-License-Identifier: MIT
# name_of: libcurl is given no addresses: it is not let look for them, or a transfer that is taken away would wait.
# file: src/http_client/admit.c
# test: http_client.get http_get/a_name_is_looked_up_once_and_kept
s/return x->url->literal \? NULL : x->url->host;/return NULL;/
