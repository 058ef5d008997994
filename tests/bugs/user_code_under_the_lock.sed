# SPDX-License-Identifier: MIT
# take_back: what a cancelled job owned is destroyed by the canceller, who holds the lane's lock.
# file: src/offload/offload.c
# test: unit.offload_cancel offload_cancel/a_waiting_owned_job_is_destroyed_before_its_await_returns
s/(\tl->taken\+\+;[^\n]*\n\tif \(job\.destroy\)) \{[^}]*\}/\1\n\t\tjob.destroy(job.arg);\n\t(void)destroy_step;/
