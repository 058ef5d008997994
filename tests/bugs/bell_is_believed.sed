# SPDX-License-Identifier: MIT
# wake: a doorbell through the ring is believed before one has ever arrived.
# file: src/io/uring_bell.c
# test: unit.uring_bell uring_bell/a_doorbell_that_is_not_proven_is_backed_by_the_eventfd
s/if \(magi_load_[a-z]+\(&u->bell_works\)\)/if (true)/
