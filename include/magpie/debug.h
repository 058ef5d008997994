/* SPDX-License-Identifier: MIT */
/* debug.h - debug mode: a runtime that says what is probably a mistake of the program.
 *
 *	const mag_debug_options debug = { .size = sizeof(debug), .stall_ns = 20 * MAG_MILLISECOND };
 *	const mag_runtime_options options = { .size = sizeof(options), .debug = &debug };
 *
 * Without a line of code: MAGPIE_DEBUG=report in the environment, MAGPIE_DEBUG=abort for a test that is to fail, both with
 * ,stall=20 for a threshold in milliseconds. Each report is a line on stderr, or a call of the program's own function. When
 * it is off it costs nothing. docs/debugging.md shows a line of each kind. */
#ifndef MAGPIE_DEBUG_H
#define MAGPIE_DEBUG_H

#include <magpie/impl/frame.h>

MAGI_C_BEGIN

enum mag_report_kind {
	MAG_REPORT_STALL,     /* a step has held a worker for too long, and does so still: ns. Said once for each step */
	MAG_REPORT_STALL_END, /* it has ended: ns, all of it */
	MAG_REPORT_GROUP,     /* a function ended well and left a group open with tasks in it, which are cancelled: count */
	MAG_REPORT_ERROR,     /* nobody has asked for an error: code, the first; count */
	MAG_REPORT_FUTURE,    /* a future ended, and nobody has asked for its result: code */
	MAG_REPORT_LOCK,      /* a task ended and holds a lock; in programs that are compiled with MAGPIE_DEBUG */
	MAG_REPORT_WAITER,    /* the runtime ends, and tasks wait for what nobody has closed: count */
	MAG_REPORT_CROWD,     /* so many tasks of a group without a limit: count. Said once for each group */
	MAG_REPORT_FILE,      /* the runtime ends, and a file is open: code, its descriptor */
	MAG_REPORT_KINDS
};

typedef struct mag_report {
	enum mag_report_kind kind;
	const char *task;     /* an async function; "" when nobody knows */
	const mag_site *made; /* where that which it is about was made, opened, locked or failed; NULL: nobody knows */
	const mag_site *at;   /* where the task is, or last was; NULL: nobody knows */
	uint64_t ns;
	uint64_t count;
	int64_t code;
	const char *text;     /* all of it in words, without the end of the line */
} mag_report;

typedef struct mag_debug_options {
	size_t size;       /* sizeof(mag_debug_options) */
	bool off;          /* whatever the environment says */
	bool fatal;        /* each report ends the program by abort(3), after its line */
	uint64_t stall_ns; /* how long a step may hold a worker; 0: 100 ms */
	uint32_t crowd;    /* how many tasks a group without a limit may have at once; 0: 100,000 */
	/* Called in place of the line, by any thread, under no lock of magpie's; it must not wait. *report is gone
	 * afterwards. NULL: a line on stderr, ten a second of each kind at most */
	void (*report)(const mag_report *report, void *ctx);
	void *ctx;
} mag_debug_options;

/* The name of a kind, "stall" say; "?" for none. */
MAG_API const char *mag_report_name(enum mag_report_kind kind);

MAGI_C_END

#endif
