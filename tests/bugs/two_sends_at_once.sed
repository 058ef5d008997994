# SPDX-License-Identifier: MIT
# begin: several operations of one direction are under way on a stream.
# file: src/io/fd.c
# test: unit.fd fd/one_receive_and_one_send_at_a_time
# test: unit.file_turns
s/if \(word & direction\)[^\n]*\n\t\t\treturn MAGI_FD_WAIT;/if (false)\n\t\t\treturn MAGI_FD_WAIT;/
