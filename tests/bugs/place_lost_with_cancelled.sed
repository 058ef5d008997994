# SPDX-License-Identifier: MIT
# finish: the permit of a borrower that was cancelled, too late, or could not make an item is gone.
# file: src/resilience/pool_take.c
# test: unit.pool pool/deadline_holds_for_waiting_checking_and_making
# test: unit.pool pool/failed_creation_is_its_callers_and_the_next_one_tries
s/\tif \(self->permit && !self->had\)\n[^\n]*\n//
