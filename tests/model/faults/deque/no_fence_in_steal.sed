# SPDX-License-Identifier: MIT
# steal: nothing between the loads of top and split.
s/\tmagi_fence_seq\(&d->top\);[^\n]*\n//
