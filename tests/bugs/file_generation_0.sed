# SPDX-License-Identifier: MIT
# fds_add: after four thousand million files one has the name that none has.
# file: src/io/fd.c
# test: unit.fd fd/generation_is_never_0
s/\tif \(gen == 0\)[^\n]*\n\t\tgen = 1;[^\n]*\n//
