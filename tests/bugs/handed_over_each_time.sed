# SPDX-License-Identifier: MIT
# pass_on: each unlock makes the first waiter the holder.
# file: src/sync/mutex.c
# test: unit.mutex mutex/waiter_is_not_overtaken_for_ever
s/\(\(int64_t\)\(now - m->fair_at\) >= 0\)/(now)/
