# SPDX-License-Identifier: MIT
# A chunk line may have a million bytes.
# file: src/http_server/http_request.h
# test: http.limits http_limits/a_chunk_line_has_256_bytes
s/HTTP_CHUNK_LINE_MAX 256u/HTTP_CHUNK_LINE_MAX (1024u * 1024)/
