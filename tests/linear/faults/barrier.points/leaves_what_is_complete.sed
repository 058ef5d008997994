# SPDX-License-Identifier: MIT
# gone: a cancelled waiter leaves the round also when the last one has come.
s/\tif \(f->op\.wait\.need != DONE\)\n/\tif (f)\n/
