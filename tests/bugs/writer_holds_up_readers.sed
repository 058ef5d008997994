# SPDX-License-Identifier: MIT
# gone: when a writer that waited first is cancelled, the readers behind it go on waiting.
# file: src/sync/rwlock.c
# test: unit.rwlock_cancel rwlock_cancel/cancelled_writer_lets_the_readers_behind_it_go
s/\t\t\*granted = serve\(l, s & ~\(uint64_t\)WAITERS, \*granted\);\n/\t\t(void)granted;\n/
