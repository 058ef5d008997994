/* SPDX-License-Identifier: MIT */
/* errand.c - a function for a certain worker; errand.h has the rules. */
#include "task/errand.h"

#include "sched/ready.h"

static mag_frame *errand_step(mag_worker *w, mag_frame *f)
{
	struct magi_errand *errand = (struct magi_errand *)(void *)f;

	errand->run(magi_worker_of(w), errand);
	return NULL;
}

void magi_errand_send(struct magi_worker *from, struct magi_worker *to, struct magi_errand *errand,
		      void (*run)(struct magi_worker *w, struct magi_errand *errand))
{
	static const mag_site site = { NULL, __func__, __FILE__, "errand", __LINE__ };
	mag_frame *f = &errand->frame;

	errand->run = run;
	magi_frame_init(f, errand_step, NULL, f, &from->rt->background.scope, 0, MAGI_CALL | MAGI_PINNED);
	f->at = &site;
	f->home = (uint8_t)to->pub.index;
	magi_inbox_send(&from->pub, to, f, true);
}
