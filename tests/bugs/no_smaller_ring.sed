# SPDX-License-Identifier: MIT
# setup_ring: no memory for a large ring is the end.
# file: src/io/uring_setup.c
# test: unit.uring_setup uring_setup/no_memory_for_a_ring_asks_for_a_smaller_one
s/rc == -ENOMEM && entries > MAGI_URING_ENTRIES_MIN/rc == -ENOMEM \&\& false/
