# SPDX-License-Identifier: MIT
# lock: whom a cancelled waiter held up nobody looks at.
s/\t\tl->waitq\.gone = magi_waitq_held_served;\n/\t\tl->waitq.gone = magi_waitq_held;\n/
