# SPDX-License-Identifier: MIT
# steal: what it has no fence against on a CPU that reorders loads; on x86 the fence itself may go unnoticed.
s/(\tint64_t t = magi_load_rlx\(&d->top\);)([^\n]*\n)\tint64_t s;/\tint64_t s = magi_load_acq(\&d->split);\2\1/
s/\ts = magi_load_acq\(&d->split\); /\t/
