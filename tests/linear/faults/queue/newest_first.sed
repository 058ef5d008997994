# SPDX-License-Identifier: MIT
# ring_take: the newest element instead of the oldest.
s/(\tcopy\(item, item_at\(q, )q->first(\), q->size\);\n)\tq->first = [^\n]*\n/\1(q->first + q->length - 1) % q->capacity\2/
