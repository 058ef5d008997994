# SPDX-License-Identifier: MIT
# A stage that runs tasks takes a limit of 0, and waits for ever.
# file: src/stream/crew.c
# test: unit.streams_ahead streams_ahead/each_item_is_worked_on_with_a_limit
s/!o->limit \|\| //
