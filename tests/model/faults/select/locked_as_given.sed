# SPDX-License-Identifier: MIT
# lock_all: in the order of the cases, not of addresses.
s/while \(at > 0 && \(uintptr_t\)all->lock\[at - 1\] > \(uintptr_t\)lock\)/while (false)/
