# SPDX-License-Identifier: MIT
# lock: a reader comes in before a writer that waits.
s/\twhile \(!\(s & WAITERS\) && \(after = with\(s, f, write\)\)\) \{/\twhile ((!(s \& WAITERS) || !write) \&\& (after = with(s, f, write))) {/
