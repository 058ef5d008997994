# SPDX-License-Identifier: MIT
# sleep_end: who was woken to search does not know it, so the count of searchers stays above 0.
s/\tif \(magi_load_rlx\(&w->search_granted\)[^\n]*\n\t\tw->searching = true;\n//
