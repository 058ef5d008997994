# SPDX-License-Identifier: MIT
# spawn: a group without a limit takes what there is memory for.
# file: src/task/member.c
# test: unit.report report/crowd_in_a_group_without_a_limit_is_told_once
s/\t\tmagi_tell_crowd\(f, g\);/\t\t(void)f;/
