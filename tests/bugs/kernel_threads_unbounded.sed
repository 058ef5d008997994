# SPDX-License-Identifier: MIT
# tune: the kernel makes as many threads as there are requests that block.
# file: src/io/uring_setup.c
# test: unit.uring_threads uring_threads/blocked_work_does_not_make_them_many
s/\tio_uring_register_iowq_max_workers\(&u->ring, workers\);[^\n]*\n/\t(void)workers;\n/
