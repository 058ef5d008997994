# SPDX-License-Identifier: MIT
# lock: the only one in the queue is cancelled before it parks, and the word says for ever that somebody waits.
s/\t\tif \(!parked && !magi_wait_first\(&l->waitq\)\)\n/\t\tif (false)\n/
