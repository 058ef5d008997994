# SPDX-License-Identifier: MIT
# take: a stack gives its oldest element.
s/item_at\(q, q->length - 1\), q->size/item_at(q, 0), q->size/
