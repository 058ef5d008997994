# SPDX-License-Identifier: MIT
# get: the element that was taken is added once more, in place of that of the waiting pusher, which is lost.
s/ring_add\(q, q->size == WORD [^\n]*\n/(void)need;\n\t\tring_add(q, item);\n/
