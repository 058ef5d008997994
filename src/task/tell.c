/* SPDX-License-Identifier: MIT */
/* tell.c - reports of debug mode about groups and futures, in words. */
#include "task/tell.h"

#include "task/report.h"
#include "task/resource.h"

/* Who ends with an error may leave a group so, and who was cancelled. */
void magi_tell_left(const mag_frame *f, const mag_group *g)
{
	struct magi_saying s;
	int64_t n = g->started + magi_load_acq(&g->balance) / 2; /* [balance] */

	if (n <= 0 || magi_left_with(f) < 0 || magi_load_rlx(&g->scope.cancelled)) /* [cancelled] a hint */
		return;
	magi_say_begin(&s, MAG_REPORT_GROUP, f->at);
	s.report.count = (uint64_t)n;
	magi_text_add(&s.text, "%s ends with %lld task%s in group %s, which %s cancelled", s.task, (long long)n,
		      n > 1 ? "s" : "", g->scope.open.site->what, n > 1 ? "are" : "is");
	magi_say_made(&s, "opened", g->scope.open.site);
	magi_say_end(&s, f->scope->rt);
}

void magi_tell_crowd(const mag_frame *f, const mag_group *g)
{
	const uint32_t n = g->scope.rt->debug->options.crowd;
	struct magi_saying s;

	magi_say_begin(&s, MAG_REPORT_CROWD, f->at);
	s.report.count = (uint64_t)n + 1;
	magi_text_add(&s.text, "%s has started more than %u tasks in a group without a limit, which run at once",
		      s.task, n);
	magi_say_made(&s, "opened", g->frame ? g->scope.open.site : NULL);
	magi_say_end(&s, g->scope.rt);
}

void magi_tell_unheard(const mag_future *future, const mag_site *made)
{
	mag_worker *w = magi_self();
	mag_runtime *rt = w ? magi_runtime_of(w) : NULL;
	struct magi_saying s;

	if (rt ? !magi_debug(rt) : !magi_debug_everywhere())
		return;
	magi_say_begin(&s, MAG_REPORT_FUTURE, made);
	s.report.code = future->result;
	magi_text_add(&s.text, "nobody has asked for the result of a future, ");
	if (future->result < 0)
		magi_text_add(&s.text, "%s", mag_errname(future->result));
	else
		magi_text_add(&s.text, "%lld", (long long)future->result);
	magi_say_made(&s, "made", made);
	magi_say_end(&s, rt);
}
