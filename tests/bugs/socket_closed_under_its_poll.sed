# SPDX-License-Identifier: MIT
# socket_close: what is polled is a duplicate, which holds the connection when libcurl has closed it.
# file: src/http_client/socket.c
# test: http_client.faults http_faults/a_cancelled_request_frees_its_place_and_closes_its_connection_at_once
s/return close\(raw\);/return dup(raw) < 0 ? -1 : close(raw);/
