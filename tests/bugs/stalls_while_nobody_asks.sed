# SPDX-License-Identifier: MIT
# The calls of a stage go on only as far as somebody asks for what they make: one at a time.
# file: src/stream/crew.c
# test: unit.streams_crew streams_crew/several_calls_at_once_in_order_and_as_completed
# test: unit.streams_ahead streams_ahead/ahead_runs_so_far_and_discards_what_nobody_asks_for
s/\tmag_queue_try_push\(&c->free, &i\);\n\t\tif/\tif (i == 0)\n\t\t\tmag_queue_try_push(\&c->free, \&i);\n\t\tif/
