# SPDX-License-Identifier: MIT
# mag_scope_cancel: the runtime may be gone when its worker is woken.
# file: src/task/cancel.c
# test: unit.visit visit/runtime_stays_until_who_cancelled_an_operation_has_rung
s/\tmagi_visit_begin\(c\.rt\);[^\n]*\n//
s/\tmagi_visit_end\(c\.rt\);[^\n]*\n//
