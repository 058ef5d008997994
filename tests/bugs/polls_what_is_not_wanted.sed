# SPDX-License-Identifier: MIT
# socket_event: a socket whose event libcurl does not want stays in the set: a paused transfer spins.
# file: src/http_client/socket.c
# test: http_client.stream http_stream/who_does_not_take_holds_up_the_server
s/put_off\(lane, raw, s, events\);/(void)put_off;/
