# SPDX-License-Identifier: MIT
# fall_asleep: between its announcement and its sleep a worker does not look whether the runtime stops.
# file: src/run/worker.c
# test: model.idle idle/nobody_sleeps_through_the_end
s/if \(anything_here\(w\) \|\| !watch \|\| stopping\(w\)\)/if (anything_here(w) || !watch)/
