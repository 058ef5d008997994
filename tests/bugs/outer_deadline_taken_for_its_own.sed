# SPDX-License-Identifier: MIT
# scope_enter: a scope that is opened inside one whose time is over says that its own is.
# file: src/task/scope.c
# test: unit.scope scope/a_deadline_that_is_over_is_not_that_of_a_scope_opened_afterwards
s/\tif \(s->cancelled\)[^\n]*\n\t\ts->cancelled = MAG_ECANCELED;[^\n]*\n//
