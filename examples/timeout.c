/* SPDX-License-Identifier: MIT */
/* timeout.c - a deadline over several awaits, and a shield so that the cleanup may await as well. */
#include <errno.h>
#include <magpie/io.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <string.h>

/* Asks and waits for an answer, which never comes. Whatever happens, it says goodbye. */
struct ask {
	mag_frame frame;
	MAG_ARGS(ask, mag_fd fd;);
	mag_scope shield;
	char answer[64];
	int64_t rc, sent, ended;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	MAG_AWAIT(self->rc, mag_send_all, self->fd, "hi?", 3);
	if (self->rc < 0)
		goto out;
	MAG_AWAIT(self->rc, mag_recv, self->fd, self->answer, sizeof self->answer);
out:
	/* without the shield this send would return MAG_ECANCELED at once: cancellation lasts until the scope ends */
	MAG_SHIELD(&self->shield, MAG_SECOND);
	MAG_AWAIT(self->sent, mag_send_all, self->fd, "bye", 3);
	MAG_SCOPE_END(self->ended, &self->shield);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct patient {
	mag_frame frame;
	MAG_NO_ARGS(patient);
	mag_scope scope;
	mag_fd pair[2];
	char heard[6];
	int64_t asked, ended, rc;
};

MAG_TASK(patient)
{
	MAG_BEGIN(patient);
	self->rc = mag_socket_pair(SOCK_STREAM, self->pair);
	if (self->rc < 0)
		MAG_RETURN(self->rc);

	MAG_WITH_TIMEOUT(&self->scope, 50 * MAG_MILLISECOND);
	MAG_CALL(self->asked, ask, .fd = self->pair[0]);
	MAG_SCOPE_END(self->ended, &self->scope);
	printf("the call returned %s, the scope %s\n", mag_errname(self->asked), mag_errname(self->ended));

	MAG_AWAIT(self->rc, mag_recv_all, self->pair[1], self->heard, sizeof self->heard, NULL);
	if (self->rc == (int64_t)sizeof self->heard)
		printf("the other end heard '%.6s'\n", self->heard);
	MAG_AWAIT(self->rc, mag_close, self->pair[0]);
	MAG_AWAIT(self->rc, mag_close, self->pair[1]);
	MAG_RETURN(self->ended == MAG_ETIMEDOUT && !memcmp(self->heard, "hi?bye", 6) ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, patient);

	if (rc < 0)
		fprintf(stderr, "timeout: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
