/* SPDX-License-Identifier: MIT */
/* left.c - what a runtime finds at its end.
 *
 * Who:     who ends it.
 * Not:     tasks that wait for anything else: a timer, a client, an event are ended by being cancelled, and that is no
 *          mistake. Who waits at a queue that is never closed does not know that there will be no more. */
#include "run/left.h"

#include <magpie/queue.h>
#include <string.h>

#include "base/peek.h"
#include "task/report.h"
#include "task/seen.h"
#include "task/tree.h"
#include "task/unread.h"

/* What has an end that somebody must make: the names of the operations that wait for it begin so. */
static const char *const closed[] = { "mag_queue_", "mag_broadcast_", "mag_watch_", "mag_oneshot_" };

static bool is_closed_by_somebody(const char *what)
{
	size_t n = strlen(what);

	if (n > 6 && !strcmp(what + n - 6, "_until"))
		return false;
	for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
		if (!strncmp(what, closed[i], strlen(closed[i])))
			return true;
	}
	return false;
}

static bool waits(const struct magi_seen *r)
{
	return r->how == MAGI_SEEN_WAITS && r->on && r->calls && r->site[0] && is_closed_by_somebody(r->site[0]->what);
}

/* Whether it is so yet; and where the queue was made, as far as anybody knows. Its memory may be gone, or something else:
 * the task may have gone on since it was seen, and who ends a queue at which somebody waits makes a mistake that is not ours
 * to die of. So the word is believed only where a frame waits at the queue whose list says that it does. */
static bool still_waits(const struct magi_seen *r, const mag_site **made)
{
	mag_frame first;
	mag_queue q;

	*made = NULL;
	if (!strncmp(r->site[0]->what, "mag_queue_p", 11) && magi_peek_safely(&q, r->on, sizeof(q)) &&
	    magi_peek_safely(&first, q.waitq.head, sizeof(first)) && first.op.wait.on == r->on)
		*made = q.made;
	return magi_seen_still(r);
}

static void say_waiting(mag_runtime *rt, const struct magi_seen *r, uint32_t n, const mag_site *made)
{
	const mag_site *at = r->site[0];
	struct magi_saying s;

	magi_say_begin(&s, MAG_REPORT_WAITER, at);
	s.report.count = n;
	if (n > 1)
		magi_text_add(&s.text, "%u tasks wait", n);
	else
		magi_text_add(&s.text, "%s waits", s.task);
	magi_text_add(&s.text, " in %s at ", at->what);
	magi_text_place(&s.text, at);
	magi_text_add(&s.text, " when the runtime ends, for what nobody has closed");
	magi_say_made(&s, "made", made);
	magi_say_end(&s, rt);
}

void magi_left_waiting(mag_runtime *rt)
{
	struct magi_look look;

	if (!magi_debug(rt) || magi_look_begin(&look, rt, true) < 0)
		return;
	for (uint32_t i = 0; i < look.n; i++) {
		struct magi_seen *r = &look.seen[i];
		const mag_site *made;
		uint32_t n = 1;

		if (r->told || r->cancelled || !waits(r) || !still_waits(r, &made))
			continue;
		for (uint32_t k = i + 1; k < look.n; k++) {
			struct magi_seen *o = &look.seen[k];

			if (!o->cancelled && waits(o) && o->site[0] == r->site[0] && o->on == r->on) {
				o->told = true;
				n++;
			}
		}
		say_waiting(rt, r, n, made);
	}
	magi_look_end(&look);
}

static void say_file(void *ctx, int raw, const mag_site *made)
{
	struct magi_saying s;

	magi_say_begin(&s, MAG_REPORT_FILE, made);
	s.report.code = raw;
	magi_text_add(&s.text, "descriptor %d is open when the runtime ends", raw);
	if (made) {
		magi_text_add(&s.text, ", opened by %s", s.task);
		magi_say_made(&s, "in or after its await", made);
	}
	s.report.at = NULL;
	magi_say_end(&s, ctx);
}

void magi_left_over(mag_runtime *rt)
{
	if (!magi_debug(rt))
		return;
	magi_fds_each_open(&rt->fds, say_file, rt);
	magi_unread_tell(rt, &rt->background, NULL);
}
