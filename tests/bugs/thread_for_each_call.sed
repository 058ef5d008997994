# SPDX-License-Identifier: MIT
# magi_lane_help: each job gets a thread of its own, whoever is idle.
# file: src/offload/lane.c
# test: unit.offload_hand offload_hand/calls_one_after_the_other_share_threads_and_none_is_left
s/\tif \(l->idle\) \{(\n\t\thelp\.hand = l->idle;)/\tif (l->idle \&\& !l) {\1/
s/\} else if \(l->watcher\) \{\n/} else if (l->watcher \&\& !l) {\n/
