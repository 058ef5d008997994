# SPDX-License-Identifier: MIT
# run: who is next is called by who was before.
# file: src/run/worker.c
# test: unit.worker worker/chain_of_ten_million_links_runs_on_a_small_stack
s/(static void run\(struct magi_worker \*w, mag_frame \*f\)[^\n]*\n)/__attribute__((noinline)) static mag_frame *nested(mag_worker *pub, mag_frame *f, uint32_t depth)\n{\n\tvolatile uint32_t at = depth;\n\n\tf = f->step(pub, f);\n\tcheck_left(pub);\n\tif (f)\n\t\tf = nested(pub, f, at + 1);\n\t(void)at;\n\treturn f;\n}\n\n\1/
s/(static void run\(struct magi_worker \*w[^}]*)\t\t\tf = f->step\(pub, f\);/\1\t\t\tf = nested(pub, f, 0);/
