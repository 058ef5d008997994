# SPDX-License-Identifier: MIT
# judge: the place of a trial that says nothing is nobody's.
s/\tb->out--;[^\n]*/\tif (outcome == MAG_BREAKER_IGNORED)\n\t\treturn word;\n\tb->out--;/
