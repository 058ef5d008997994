# SPDX-License-Identifier: MIT
# magi_search_found: who takes up work does not see to it that somebody watches it.
s/!is_watched\(w->rt\) \|\| /(!is_watched(w->rt) \&\& false) || /
