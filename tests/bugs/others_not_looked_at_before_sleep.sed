# SPDX-License-Identifier: MIT
# sleep_until_work: between its announcement and its sleep a worker looks at its own work only.
# file: src/run/worker.c
# test: model.idle idle/fork_of_a_worker_in_a_long_step_is_taken_by_another
s/watch = magi_steal_watch\(w\);/watch = MAGI_NEVER;/
