# SPDX-License-Identifier: MIT
# init_as: the switch that shows circles of bounded queues does nothing.
# file: src/sync/queue_init.c
# test: unit.queue queue/has_capacity_1_when_that_is_asked_for_in_the_environment
s/\tif \(debug && strstr\(debug, "queue=1"\)\)[^\n]*\n/\tif (debug \&\& strstr(debug, "queue=1") \&\& !o.capacity)\n/
