# SPDX-License-Identifier: MIT
# look: the ring is looked at by an idle worker only.
# file: src/run/worker.c
# test: unit.worker_fair worker/io_is_done_beside_endless_tasks
s/if \(w->ops->due\(w->io\) && magi_io_poll\(w, 0\)\)/if (!w->awake \&\& w->ops->due(w->io) \&\& magi_io_poll(w, 0))/
