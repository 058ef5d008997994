# SPDX-License-Identifier: MIT
# end: the owner says that it waits, and then who it is.
s/\t\tg->joiner = f;\n(.*)\t\t\treturn NULL;\n/\1\t\t\treturn g->joiner = f, NULL;\n/
