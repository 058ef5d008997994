# SPDX-License-Identifier: MIT
# sleep_until_work: between its announcement and its sleep a worker looks at its own work only.
# file: src/run/worker.c
# test: model.idle
s/watch = magi_steal_watch\(w\);/watch = MAGI_NEVER;/
