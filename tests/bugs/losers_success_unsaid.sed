# SPDX-License-Identifier: MIT
# magi_hedge_result: an attempt that has succeeded, too, is forgotten with what it holds.
# file: src/resilience/hedge.c
# test: unit.hedge hedge/success_that_was_not_needed_is_given_to_the_caller
s/\t\telse if \(h->policy.spare\)\n[^\n]*\n//
