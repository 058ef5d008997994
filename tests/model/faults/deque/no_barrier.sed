# SPDX-License-Identifier: MIT
# revoke: no barrier.
s/\tmagi_barrier_all\(\);\n//
