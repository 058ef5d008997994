# SPDX-License-Identifier: MIT
# is_lost: nobody looks whether libcurl has closed a socket that was connecting without a word.
# file: src/http_client/socket.c
# test: http_client.faults http_faults/one_that_is_cancelled_while_it_connects_leaves_no_connection
s/return !s->heard \&\& inode_of\(raw\) != s->inode;/(void)raw;\n\treturn !s->open;/
