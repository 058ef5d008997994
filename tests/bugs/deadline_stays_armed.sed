# SPDX-License-Identifier: MIT
# scope_exit: a scope that is left in time keeps its deadline.
# file: src/task/scope.c
# test: unit.scope scope/a_scope_left_in_time_disarms_its_deadline
s/\tmagi_scope_disarm\(s\);\n//
