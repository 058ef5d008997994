/* SPDX-License-Identifier: MIT */
/* 05_race.c - the first success, or the first outcome; the losers are cancelled and joined: Promise.any, Promise.race. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { MIRRORS = 4 };

/* Stands for a download from a mirror, which takes so long and gives that. */
struct download {
	mag_frame frame;
	MAG_ARGS(download, uint64_t ms; int64_t result; int *cleaned_up;);
	int64_t rc;
};

MAG_TASK(download)
{
	MAG_BEGIN(download);
	MAG_AWAIT(self->rc, mag_sleep, self->ms * MAG_MILLISECOND);
	if (self->rc < 0)
		++*self->cleaned_up; /* a connection would be closed here */
	MAG_RETURN(self->rc < 0 ? self->rc : self->result);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_gather race;
	int64_t results[MIRRORS];
	int64_t rc, any, raced;
	int i, cleaned_up; /* one worker runs here */
};

MAG_TASK(program)
{
	static const uint64_t ms[MIRRORS] = { 5000, 5, 300, 5000 };
	static const int64_t result[MIRRORS] = { 1, -ECONNREFUSED, 3, 4 };

	MAG_BEGIN(program);
	self->cleaned_up = 0;
	MAG_ANY_BEGIN(&self->race, self->results, MIRRORS);
	for (self->i = 0; self->i < MIRRORS; self->i++)
		MAG_ANY_ADD(self->rc, &self->race, download, .ms = ms[self->i], .result = result[self->i],
			    .cleaned_up = &self->cleaned_up);
	MAG_ANY_END(self->any, &self->race);
	printf("any: mirror %lld gave %lld\n", (long long)mag_gather_winner(&self->race), (long long)self->any);
	if (self->any != 3 || mag_gather_winner(&self->race) != 2 || self->cleaned_up != 2)
		MAG_RETURN(-EPROTO);

	MAG_RACE_BEGIN(&self->race, self->results, MIRRORS);
	for (self->i = 0; self->i < MIRRORS; self->i++)
		MAG_RACE_ADD(self->rc, &self->race, download, .ms = ms[self->i], .result = result[self->i],
			    .cleaned_up = &self->cleaned_up);
	MAG_RACE_END(self->raced, &self->race);
	printf("race: mirror %lld was first, with %s\n", (long long)mag_gather_winner(&self->race),
	       mag_errname(self->raced));
	printf("%d losers have cleaned up\n", self->cleaned_up);
	MAG_RETURN(self->raced == -ECONNREFUSED && self->cleaned_up == 2 + 3 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run((&(mag_runtime_options){ .size = sizeof(mag_runtime_options), .workers = 1 }), program);

	if (rc < 0)
		fprintf(stderr, "05_race: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
