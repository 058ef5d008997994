# SPDX-License-Identifier: MIT
# go_on: what the first send has moved counts as all.
# file: src/task/transfer.c
# test: unit.stream stream/a_long_send_is_sent_whole_and_says_how_far_it_came
s/\tif \(!word\[LEFT\]\)[^\n]*\n/\tif (code == MAGI_IO_SEND || !word[LEFT])\n/
