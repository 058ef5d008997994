# SPDX-License-Identifier: MIT
# mag_breaker_end_as: the word is what it was before the lock was had.
s/(\tnow = mag_now\(\);\n)(\tmagi_lock_acquire[^\n]*\n\tb->counts.successes[^\n]*\n\tb->counts.failures[^\n]*\n\tb->counts.ignored[^\n]*\n)(\twas = word = [^\n]*\n)/\1\3\2/
