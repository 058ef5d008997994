# SPDX-License-Identifier: MIT
# take_apart: a redirect may lead to a file.
# file: src/http_client/url.c
# test: http_client.redirect http_redirect/to_other_schemes_than_http_and_https_none_is_followed
s/if \(strcmp\(scheme, "http"\) && strcmp\(scheme, "https"\)\)/if (0)/
