/* SPDX-License-Identifier: MIT */
/* 04_settled.c - every outcome, whatever happens: Promise.allSettled, gather(return_exceptions=True). */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { HOSTS = 5 };

/* Stands for asking a host: an answer, or one error or another. */
struct ask {
	mag_frame frame;
	MAG_ARGS(ask, int host;);
	int64_t rc;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	MAG_AWAIT(self->rc, mag_sleep, (uint64_t)(5 - self->host) * MAG_MILLISECOND);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (self->host % 2 == 0)
		MAG_RETURN(200 + self->host);
	MAG_RETURN(self->host == 1 ? -ECONNREFUSED : -EHOSTUNREACH);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_gather hosts;
	int64_t results[HOSTS];
	int64_t rc;
	int i;
};

MAG_TASK(program)
{
	int64_t good;

	MAG_BEGIN(program);
	MAG_SETTLED_EACH(self->rc, &self->hosts, self->results, HOSTS, self->i, ask, .host = self->i);
	good = 0;
	for (int i = 0; i < HOSTS; i++)
		good += self->results[i] >= 0;
	printf("%lld of %d have answered; the others:\n", (long long)good, HOSTS);
	mag_group_errors_print(&self->hosts.group, stdout);
	MAG_RETURN(self->rc == 0 && good == 3 && self->results[4] == 204 && self->results[1] == -ECONNREFUSED &&
				   mag_group_errors(&self->hosts.group, NULL) == 2 ?
			   0 :
			   -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "04_settled: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
