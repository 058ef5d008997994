# SPDX-License-Identifier: MIT
# magi_search_found: who takes up work does not see to it that somebody watches it.
s/if \(!magi_load_rlx\(&idle->watchers\) \|\| \(last && work_in_sight\(w->rt\)\)\)/if (last \&\& work_in_sight(w->rt))/
