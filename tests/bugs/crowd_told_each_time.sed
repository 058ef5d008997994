# SPDX-License-Identifier: MIT
# spawn: each task above the limit of a crowd is told of.
# file: src/task/member.c
# test: unit.report report/crowd_in_a_group_without_a_limit_is_told_once
s/\tif \(crowd\)\n\t\tg->limit = \(uint32_t\)MAGI_CROWD_TOLD;\n//
