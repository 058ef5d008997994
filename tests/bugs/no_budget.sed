# SPDX-License-Identifier: MIT
# run: steps that hand over to one another go on for ever.
# file: src/run/worker.c
# test: unit.worker_fair worker/endless_calls_starve_nobody
# test: unit.worker_fair worker/endless_tree_of_forks_starves_nobody
s/while \(f && --budget\);/while (f \&\& (budget = 2));/g
