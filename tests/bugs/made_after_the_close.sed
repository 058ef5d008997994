# SPDX-License-Identifier: MIT
# magi_pool_pop: a pool that is closed still makes items: places may be had while the one that closes it wakes who waits.
# file: src/resilience/pool.c
# test: unit.pool pool/closing_wakes_who_waits_and_waits_for_what_is_lent
s/\tif \(MAGI_UNLIKELY\(p->closed\)\) \{/\tif (MAGI_UNLIKELY(p->closed > 1)) {/
