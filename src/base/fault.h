/* SPDX-License-Identifier: MIT */
/* fault.h - faults in turn: the n-th allocation, system call, operation, record, transfer or cancel goes wrong.
 *
 * What:    each kind of place where something can fail is a site with a count and a plan of its own. A test runs a
 *          program once to count, and to hear what is done at each, then once for each number and each error. In a
 *          simulation the n-th is the same one in each run of a seed; on threads it is roughly so.
 * Who:     a plan is made while nothing runs; magi_fault_at: any thread.
 * Always:  a site without a plan costs a load and a branch. */
#ifndef MAGI_BASE_FAULT_H
#define MAGI_BASE_FAULT_H

#include <magpie/impl/api.h>

enum magi_fault_site {
	MAGI_FAULT_MEMORY,   /* alloc.h: an allocation, a thread, an entry into the kernel that wants memory */
	MAGI_FAULT_SYSTEM,   /* sys.h: a system call, which then does nothing */
	/* of a simulated world: */
	MAGI_FAULT_BEGIN,    /* an operation, which then does nothing */
	MAGI_FAULT_RECORD,   /* an operation that has done what it does, or was cancelled: its result is lost */
	MAGI_FAULT_TRANSFER, /* a read or write, which then moves one byte */
	MAGI_FAULT_CANCEL,   /* a cancel of an operation that waits */
	MAGI_FAULT_SITES
};

/* How it goes wrong: an errno, or one of these. A cancel: ENOENT, the operation completes before it; EALREADY, it comes
 * to it only later; MAGI_FAULT_LATE. */
enum magi_fault_how {
	MAGI_FAULT_LATE = 1 << 16, /* it happens, and is told up to 100 ms later */
	MAGI_FAULT_LAST            /* a multishot ends with it */
};

/* Whether the site's turn has come: how it is to go wrong, or 0. what: a name for the log, or NULL. */
int magi_fault_at(enum magi_fault_site site, const char *what);

/* From now on the n-th time that the site is reached (1 is the next) it goes wrong in that way. n = 0: off, UINT64_MAX:
 * counts only. */
void magi_fault_set(enum magi_fault_site site, uint64_t n, int how);
/* And each `every`-th time after that, so many times (0: for ever). */
void magi_fault_repeat(enum magi_fault_site site, uint64_t every, uint64_t times);
/* No site has a plan any more, nor a log. */
void magi_fault_clear(void);

/* As a plan's text has it. */
const char *magi_fault_site_name(enum magi_fault_site site);

/* How often it was reached since its plan was made. */
uint64_t magi_fault_count(enum magi_fault_site site);

/* The site's names are written there, in turn, as far as there is room; NULL: no more. */
void magi_fault_log(enum magi_fault_site site, const char **names, uint64_t room);

/* A plan as text, "record:17:EIO", and if it repeats, :every:times: that of the first site that has one. False: there
 * is none. */
bool magi_fault_text(char *text, size_t size);
/* Makes that plan. */
bool magi_fault_parse(const char *text);

#endif
