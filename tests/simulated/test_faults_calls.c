/* SPDX-License-Identifier: MIT */
/* test_faults_calls.c - every fault in turn: breakers, hedges and retries, whose attempts and timers may be refused. */
#include "simulated/turns.h"

#include "simulated/calls.h"

TURNS(faults_calls, no_trial_is_lost, visitors, 0.5)
TURNS(faults_calls, nothing_is_held_in_the_end, patient, 0.5)
