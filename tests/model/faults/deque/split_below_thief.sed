# SPDX-License-Identifier: MIT
# pop_shared: a thief that has seen the old split may still take the one at t, which is private now.
s/\tset_split\(d, t \+ 1\);\n//
