# SPDX-License-Identifier: MIT
# the list of errors that nobody has asked for goes with its frame.
# file: src/task/fork.c
# test: unit.report report/error_of_a_group_that_nobody_asked_for
s/\tif \(magi_left_with\(f\) >= 0\)\n\t\tmagi_unread_tell[^\n]*\n//
