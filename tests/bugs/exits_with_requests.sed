# SPDX-License-Identifier: MIT
# worker_end: a thread ends with requests under way.
# file: src/run/life.c
# test: unit.acceptor_world acceptor_world/one_that_nobody_closes_ends_with_the_runtime
s/\tmagi_io_drain\(w\);[^\n]*\n//
