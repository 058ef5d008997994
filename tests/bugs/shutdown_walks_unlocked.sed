# SPDX-License-Identifier: MIT
# advance: the lock is released while somebody is told, and the next one in the list may be gone.
# file: src/life/shutdown.c
# test: simulated.life life/nobody_is_told_after_the_leave
s/\t\t\ttell\(part, later\);/\t\t\tunlock(s), tell(part, later), lock(s);/
