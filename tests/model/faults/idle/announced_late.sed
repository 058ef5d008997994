# SPDX-License-Identifier: MIT
# fall_asleep: it looks once more, and then announces that it sleeps: what comes in between wakes nobody.
s/(\tmagi_sleep_begin\(w\);\n)(.*)(\tif \(anything_here\(w\) \|\|)/\2\1\3/
