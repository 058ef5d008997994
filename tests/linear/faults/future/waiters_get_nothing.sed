# SPDX-License-Identifier: MIT
# complete: those who wait get 0 instead of the result.
s/magi_wait_grant_all\(&future->waiters, result\)/magi_wait_grant_all(\&future->waiters, 0)/
