# SPDX-License-Identifier: MIT
# Another coding behind chunked is passed.
# file: src/http_server/http_head.c
# test: http.smuggling http_smuggling/coding_is_chunked_and_nothing_else
s/lenient_flags = LENIENT_VERSION;/lenient_flags = LENIENT_VERSION | LENIENT_TRANSFER_ENCODING;/
s/if \(f->codings\) \{/if (f->codings \&\& !f->hosts) {/
