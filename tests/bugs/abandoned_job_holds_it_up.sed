# SPDX-License-Identifier: MIT
# destroy: a job that does not end holds it up, whatever the deadline.
# file: src/run/runtime.c
# test: unit.offload_end offload_end/stragglers_are_counted_and_end_by_themselves
s/magi_offload_end\(rt, deadline\)/magi_offload_end(rt, MAGI_NEVER)/
