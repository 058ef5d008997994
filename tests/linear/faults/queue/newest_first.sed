# SPDX-License-Identifier: MIT
# ring_take: the newest element of a ring of words instead of the oldest.
s/(\t\tmemcpy\(item, item_at\(q, )q->first(\), WORD\);\n)/\1(q->first + q->length - 1) % q->capacity\2/
s/\tq->first = q->first \+ 1 < [^\n]*\n//
