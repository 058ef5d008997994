# SPDX-License-Identifier: MIT
# revoke: thieves may take what the owner has not been told of.
s/\tmagi_barrier_all\(\);/\tmagi_store_rel(\&d->split, want);\n&/
