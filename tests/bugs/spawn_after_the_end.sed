# SPDX-License-Identifier: MIT
# spawn_from: a task is taken in although the runtime is being closed.
# file: src/run/enter.c
# test: unit.enter enter/what_was_taken_in_ends_and_the_rest_is_refused_while_it_closes
s/closing = rt->closing;/closing = false;/
