# SPDX-License-Identifier: MIT
# explain: want of memory or of descriptors counts as want of io_uring.
# file: src/io/uring_setup.c
# test: unit.uring_setup uring_setup/want_of_memory_or_descriptors_is_not_want_of_io_uring
s/(\tcase -EMFILE:[^\n]*\n\tcase -ENFILE:[^\n]*\n[^}]*)return err;([^\n]*\n\tdefault)/\1return MAG_EBACKEND;\2/
