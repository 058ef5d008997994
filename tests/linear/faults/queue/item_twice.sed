# SPDX-License-Identifier: MIT
# get: the element that was taken is added once more, in place of that of the waiting pusher, which is lost.
s/\t\tadd\(q, pushed_by\(q, &need\)\);\n/\t\t(void)need;\n\t\tadd(q, item);\n/
