# SPDX-License-Identifier: MIT
# visit_begin, visit_end: nobody counts who still rings.
s/\tmagi_(add|sub)_ar\(&rt->visitors, 1u\);/\t(void)rt;/g
