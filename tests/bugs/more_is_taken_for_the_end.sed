# SPDX-License-Identifier: MIT
# deliver: each completion of a multishot counts as its last.
# file: src/task/source.c
# test: unit.acceptor
s/\tif \(rec->flags & MAGI_REC_MORE\)[^\n]*\n\t\treturn;[^\n]*\n//
