# SPDX-License-Identifier: MIT
# gather_end: cut short, all or nothing.
# file: src/task/gather.c
# test: unit.gather gather/a_deadline_over_many_keeps_what_had_finished
s/(\treturn magi_group_end\(w, f, &g->group\);)/\tfor (size_t i = 0; i < g->room \&\& mag_scope_cancelled(\&g->group.scope); i++)\n\t\tg->results[i] = MAG_ECANCELED;\n\1/
