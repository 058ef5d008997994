# SPDX-License-Identifier: MIT
# ended: a receive that a signal broke off is taken for the end of the stream.
# file: src/net/receiver.c
# test: simulated.interrupted
s/ res == -EINTR \|\|//
