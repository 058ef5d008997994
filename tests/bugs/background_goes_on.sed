# SPDX-License-Identifier: MIT
# the end of a runtime waits for its background, and does not cancel it.
# file: src/run/runtime.c
# test: unit.structure structure/shutdown_ends_the_background_to_the_last_though_tasks_end_and_start_meanwhile
s/\tmag_group_cancel\(&rt->background\);\n//
