# SPDX-License-Identifier: MIT
# judge: whoever is first decides, and the others go on.
# file: src/task/member.c
# test: unit.structure structure/what_lost_a_race_is_gone_with_its_timers
s/\tg->winner_index = index;\n\treturn true;/\tg->winner_index = index;\n\treturn false;/
