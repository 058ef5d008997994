# SPDX-License-Identifier: MIT
# set: with waiters it wakes them, and is not set.
s/list \? SET : 0u/0u/
