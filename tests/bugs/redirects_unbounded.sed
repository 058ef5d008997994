# SPDX-License-Identifier: MIT
# redirect: they are followed for ever.
# file: src/http_client/redirect.c
# test: http_client.redirect http_redirect/five_are_followed_unless_it_is_said_otherwise
s/if \(r->redirects >= \(uint32_t\)call->limits.redirects\)/if (0)/
