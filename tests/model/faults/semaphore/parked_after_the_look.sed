# SPDX-License-Identifier: MIT
# park: a mark of a canceller that comes after the look is overwritten: the task sleeps for ever.
s/while \(!magi_cas_rel\(&leader->state, &s, after\)\);[^\n]*\n\treturn true;/while (0);\n\tmagi_store_rel(\&leader->state, after);\n\treturn true;/
