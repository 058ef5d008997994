# SPDX-License-Identifier: MIT
# mag_group_errors: who asks for the list has not asked.
# file: src/task/group.c
# test: unit.report report/error_that_somebody_asked_for_is_no_mistake
s/\tmagi_unread_heard\(g\);\n//
