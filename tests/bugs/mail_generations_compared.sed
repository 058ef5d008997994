# SPDX-License-Identifier: MIT
# mail: a generation counts as older by its number, which is wrong once they have come round.
# file: src/sched/slot.c
# test: unit.slot slot/mail_from_before_the_names_came_round_hides_none_either
s/\(int32_t\)\(generation - old\) <= 0/generation <= old/
