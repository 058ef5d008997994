# SPDX-License-Identifier: MIT
# next: the end of a source is told before what has come until then.
# file: src/task/source.c
# test: unit.receiver receiver/an_error_comes_after_the_bytes_before_it
s/\titem = take\(s\);[^\n]*\n/\titem = s->ended ? NULL : take(s);\n/
