# SPDX-License-Identifier: MIT
# sleep_begin: owners push without a fence, and nobody makes one for them.
s/\t\tmagi_barrier_all\(\);\n/\t\tmagi_fence_seq(\&idle->sleepers);\n/
