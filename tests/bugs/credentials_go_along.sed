# SPDX-License-Identifier: MIT
# redirect: credentials are taken to another origin.
# file: src/http_client/redirect.c
# test: http_client.redirect http_redirect/credentials_are_not_taken_to_another_origin
s/x->stranger = x->stranger \|\| .*;/x->stranger = false;/
