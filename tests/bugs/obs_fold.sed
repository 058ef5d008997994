# SPDX-License-Identifier: MIT
# A field may go on in the next line.
# file: src/http_server/http_guard.c
# test: http.smuggling http_smuggling/lines_and_fields_have_one_form
s/if \(g->line == 0 && !g->request && \(s\[i\] == ' ' \|\| s\[i\] == '\\t'\)\)/if (g->line == UINT32_MAX)/
