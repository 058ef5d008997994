# SPDX-License-Identifier: MIT
# give_all: a receiver that is to take two signals takes all.
# file: src/process/signal.c
# test: unit.shutdown shutdown/a_third_signal_does_what_it_did_although_no_task_runs
# test: unit.signal signal/a_receiver_of_two_leaves_the_third_to_what_was_there_before
s/if \(s->left != UINT32_MAX\)/if (false)/
