# SPDX-License-Identifier: MIT
# A send to nobody on epoll raises SIGPIPE, which ends the program. io_uring's never does.
# file: src/io/epoll_try.c
# test: conformance.io_stream */send_to_nobody_is_an_error_and_no_signal
s/ \| MSG_NOSIGNAL//g
