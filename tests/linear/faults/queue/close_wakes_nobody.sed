# SPDX-License-Identifier: MIT
# close: who waits is left waiting.
s/\tif \(first\)\n\t\tlist = magi_wait_grant_all\(&q->waitq, MAG_ECLOSED\);\n//
