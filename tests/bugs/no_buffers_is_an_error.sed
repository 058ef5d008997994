# SPDX-License-Identifier: MIT
# a ring without buffers ends the receive, and the receiver.
# file: src/net/receiver.c
# test: unit.receiver receiver/a_burst_larger_than_the_ring_is_received
s/if \(rec->res != -ENOBUFS\)/if (rec->res != -INT32_MAX)/
s/\tif \(res == -ENOBUFS && magi_buffers_feed\(w\)\)[^\n]*\n\t\treturn[^;]*;[^\n]*\n\tif \(res == -ENOBUFS \|\| res == -ENOMEM\)/\tif (res == -ENOMEM)/
