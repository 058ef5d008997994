/* SPDX-License-Identifier: MIT */
/* doctor.h - the parts of `magpie doctor`. */
#ifndef MAGPIE_TOOLS_DOCTOR_H
#define MAGPIE_TOOLS_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

struct doctor {
	bool json;
	int facts;        /* said so far */
	uint32_t workers; /* that a runtime gets by default; 0: none could be started */
	char why[300];    /* in that case */
};

/* cmd_doctor.c: each says one fact: by its label to people, by its key in JSON. */
void doctor_text(struct doctor *d, const char *key, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void doctor_number(struct doctor *d, const char *key, const char *label, double value, const char *unit);
void doctor_yes(struct doctor *d, const char *key, const char *label, bool yes);

/* doctor_machine.c: kernel, CPUs, limits. */
void doctor_machine(struct doctor *d);

/* doctor_ring.c: io_uring. */
void doctor_ring(struct doctor *d);

#endif
