# SPDX-License-Identifier: MIT
# sleep_until_work: between its announcement and its sleep a worker looks at all but its inbox.
# file: src/run/worker.c
# test: model.idle idle/task_resumed_from_outside_wakes_the_only_worker
s/(\tmagi_sleep_begin\(w\);[^}]*)\tmagi_inbox_collect\(w\);[^\n]*\n/\1/
