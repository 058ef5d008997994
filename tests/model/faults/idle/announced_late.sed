# SPDX-License-Identifier: MIT
# sleep_until_work: it looks once more, and then announces that it sleeps: what comes in between wakes nobody.
s/(\tmagi_sleep_begin\(w\);\n)(.*)(\tif \(!anything_here\(w\) && watch)/\2\1\3/
