# SPDX-License-Identifier: MIT
# gone: nobody looks at those behind a waiter that was cancelled.
s/\tif \(magi_load_rlx\(&s->state\) & WAITERS\)[^\n]*\n\t\t\*granted = serve\(s, 0, \*granted\);/\t(void)s;\n\t(void)granted;/
