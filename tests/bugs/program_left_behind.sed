# SPDX-License-Identifier: MIT
# mag_process_output: a program is not ended when the task that waits for it is cancelled.
# file: src/process/output.c
# test: unit.process process/that_is_cancelled_at_any_time_is_not_left_behind
s/\tMAG_AWAIT\(self->end, mag_process_end, &self->process\);/\tif (self->rc >= 0)\n\t\tMAG_AWAIT(self->end, mag_process_end, \&self->process);/
