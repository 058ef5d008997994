# SPDX-License-Identifier: MIT
# the end of the runtime closes what is open, and says nothing.
# file: src/run/left.c
# test: unit.report_end report/file_open_at_the_end
s/\tmagi_fds_each_open\([^\n]*\n/\t(void)say_file;\n/
