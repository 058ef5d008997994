# SPDX-License-Identifier: MIT
# sent: a client may take its answer as slowly as it likes, or not at all.
# file: src/http_server/http_file.c
# test: script.serve_deadlines
s/self->rc = is_slow\(self\)[^;]*;/self->rc = 0;/
