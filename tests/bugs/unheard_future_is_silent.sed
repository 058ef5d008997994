# SPDX-License-Identifier: MIT
# fini: a result that nobody has asked for is forgotten.
# file: src/task/future.c
# test: unit.report report/future_that_nobody_awaited
s/\t\tmagi_tell_unheard\(future, made\);/\t\t(void)made;/
