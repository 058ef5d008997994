/* SPDX-License-Identifier: MIT */
/* sim_faults.h - the names of what may go wrong in a simulation. */
#ifndef MAGPIE_TOOLS_SIM_FAULTS_H
#define MAGPIE_TOOLS_SIM_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_FAULTS_NAMES                                                                                               \
	"short delay cancel multishot ring buffers wake migrate (these: mild), reset loss slow (these: net), disk fd " \
	"name memory; "                                                                                                \
	"all, none"

/* A list of names with commas between; false: one is not known. */
bool sim_faults_parse(const char *text, uint32_t *faults);
/* The other way. */
void sim_faults_format(uint32_t faults, char *text, size_t size);

#endif
