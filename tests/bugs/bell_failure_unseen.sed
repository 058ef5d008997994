# SPDX-License-Identifier: MIT
# ring_bell: whether the doorbell has failed is not looked at.
# file: src/io/uring_bell.c
# test: unit.uring_bell uring_bell/a_doorbell_that_fails_is_replaced_by_the_eventfd
s/return !ringing_failed\(from, since\);/return since || ringing_failed != NULL;/
