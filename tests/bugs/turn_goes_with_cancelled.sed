# SPDX-License-Identifier: MIT
# take_turn: the turn that was taken for a waiter whose canceller came first is gone.
# file: src/task/file.c
# test: unit.file_turn_lost
s/\t\tmagi_fd_unbegin\(r, direction\);[^\n]*\n//
