# SPDX-License-Identifier: MIT
# put: the waiter that came last is served first.
s/\(f = magi_wait_first\(&q->waitq\)\)/(f = q->waitq.tail)/
