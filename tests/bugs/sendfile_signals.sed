# SPDX-License-Identifier: MIT
# worker_begin: SIGPIPE, which sendfile(2) raises, ends the program.
# file: src/run/life.c
# test: unit.sendfile
s/\tblock_sigpipe\(\);[^\n]*\n/\t(void)block_sigpipe;\n/
