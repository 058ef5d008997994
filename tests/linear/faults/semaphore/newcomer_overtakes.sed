# SPDX-License-Identifier: MIT
# take_or_wait: others wait already, all the same it takes.
s/\t\tif \(was \& WAITERS\)\n\t\t\treturn 1;\n(\t\tenough)/\1/
