# SPDX-License-Identifier: MIT
# take_now: a place for which there was no token is not given back.
s/\tif \(place\)\n\t\tmag_semaphore_release\(&l->slots, 1\);\n//
