# SPDX-License-Identifier: MIT
# mag_breaker_end_as: what was let through before a change is heeded after it.
s/\tif \(permit->circuit == word\)/\tif (1)/
