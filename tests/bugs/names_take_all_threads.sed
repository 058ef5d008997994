# SPDX-License-Identifier: MIT
# set_shares: names that hang may have all threads of the blocking lane.
# file: src/offload/lane.c
# test: unit.offload_hand offload_hand/hanging_names_leave_threads_to_files_and_the_others
s/(l->share\[MAG_KIND_RESOLVE >> 8\] = )\(l->max \+ 3\) \/ 4;/\1l->max;/
s/l->reserved = l->max \/ 8 \? l->max \/ 8 : 1;/l->reserved = 0;/
