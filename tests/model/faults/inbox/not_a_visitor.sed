# SPDX-License-Identifier: MIT
# visit_begin, visit_end: nobody counts who still rings.
s/\tmagi_(add_rlx|sub_rel)\(&rt->visitors, 1u\);/\t(void)rt;/g
