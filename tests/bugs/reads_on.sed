# SPDX-License-Identifier: MIT
# answer: while there is room for more, requests are read on before answers are sent.
# file: src/http_server/http_answer.c
# test: script.serve_deadlines
s/\tif \(c->out_len\)\n\t\tc->step = HTTP_SEND;/\tif (c->out_len \&\& (c->closing || c->out_len > c->out_size \/ 2))\n\t\tc->step = HTTP_SEND;/
