# SPDX-License-Identifier: MIT
# happen_or_park: each queue is locked for its try, and not until the task has parked.
s/\n	lock_all\(&all, cases, n\);\n	won = try_all/\n	lock_all(\&all, cases, n);\n	unlock_all(\&all);\n	all.n = 0;\n	won = try_all/
