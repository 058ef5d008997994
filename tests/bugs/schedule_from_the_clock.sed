# SPDX-License-Identifier: MIT
# choice_init: the simulator's choices depend on the machine's clock, too.
# file: src/sim/choose.c
# test: unit.simulation simulation/the_same_seed_gives_the_same_run
s/magi_random_seed\(&r, s->seed\);/magi_random_seed(\&r, s->seed ^ __builtin_ia32_rdtsc());/
