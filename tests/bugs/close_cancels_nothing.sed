# SPDX-License-Identifier: MIT
# mag_close: what is under way on the file is left to end by itself.
# file: src/task/file.c
# test: unit.stream stream/closing_ends_receives_on_every_worker
# test: unit.poll_close poll_close/the_peer_of_a_polled_file_sees_that_it_is_closed
s/\tif \(rc > 0\)[^\n]*\n\t\tend_users\(w, r\);/\t(void)end_users;/
