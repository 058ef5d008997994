# SPDX-License-Identifier: MIT
# serve: however many permits are given, one waiter goes on.
# file: src/sync/semaphore.c
# test: unit.semaphore semaphore/waiters_are_served_in_turn_and_as_many_as_there_are_permits
s/(\t\tfirst->op\.result = 0;[^\n]*\n[^}]*tail = &first->q\.next;[^\n]*\n)/\1\t\tbreak;\n/
