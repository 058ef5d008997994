# SPDX-License-Identifier: MIT
# A Transfer-Encoding in HTTP/1.0 is passed.
# file: src/http_server/http_head.c
# test: http.smuggling http_smuggling/coding_is_chunked_and_nothing_else
s/if \(ll->http_minor == 0 \|\| !\(ll->flags & F_CHUNKED\)\)/if (!(ll->flags \& F_CHUNKED))/
