# SPDX-License-Identifier: MIT
# acquire: the frame is written once more after its waiter can be granted.
# file: src/sync/semaphore.c
# test: model.semaphore
s/(\tmagi_lock_release\(lock_of\(s\)\);[^\n]*\n)(\treturn parked \?)/\1\tf->op.result = rc;\n\2/
