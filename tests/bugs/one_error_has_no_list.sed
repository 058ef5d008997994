# SPDX-License-Identifier: MIT
# note_error: a single error is told in another way than several are.
# file: src/task/member.c
# test: unit.group_errors
# test: unit.group group/collect_runs_all_to_their_end_and_lists_what_failed
s/(\tif \(g->errors\+\+ == 0\))[^\n]*\n\t\tg->first_error = rc;/\1 {\n\t\tg->first_error = rc;\n\t\treturn;\n\t}/
