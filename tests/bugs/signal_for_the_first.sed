# SPDX-License-Identifier: MIT
# tell: the first receiver that wants a signal takes it from the others.
# file: src/process/signal.c
# test: unit.signal signal/comes_to_each_receiver_that_wants_it_and_to_a_stream
# test: unit.signal signal/comes_to_the_tasks_of_several_runtimes
s/s; s = s->next\) \{\n\t\tuint64_t over;/s \&\& !any; s = s->next) {\n\t\tuint64_t over;/
