/* SPDX-License-Identifier: MIT */
/* signal.c - SIGHUP reads the settings again, SIGUSR1 says how it goes, SIGTERM ends the program: signals as events, and as a
 * stream. */
#include <errno.h>
#include <magpie/magpie.h>
#include <signal.h>
#include <stdio.h>

struct daemon {
	int reloads, questions;
	mag_event done;
};

/* All in one place, one after the other: no handler runs in the middle of anything. */
struct control {
	mag_frame frame;
	MAG_ARGS(control, struct daemon *daemon;);
	mag_signal signals;
	int64_t rc;
};

MAG_TASK(control)
{
	MAG_BEGIN(control);
	self->rc = mag_signal_open(&self->signals, SIGHUP, SIGUSR1, SIGTERM);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	raise(SIGHUP); /* from here on others come from this program itself, as from a shell */
	for (;;) {
		MAG_AWAIT(self->rc, mag_signal_next, &self->signals);
		if (self->rc == SIGHUP) {
			printf("settings read, %d\n", ++self->daemon->reloads);
			raise(SIGUSR1);
		} else if (self->rc == SIGUSR1) {
			printf("it goes well, %d\n", ++self->daemon->questions);
			raise(self->daemon->questions < 3 ? SIGHUP : SIGTERM);
		} else {
			break; /* SIGTERM, MAG_ECANCELED */
		}
	}
	mag_signal_close(&self->signals); /* SIGTERM ends the process again */
	mag_event_set(&self->daemon->done);
	MAG_RETURN(self->rc == SIGTERM ? 0 : self->rc);
	MAG_END;
}

/* The same as a stream: another receiver, which gets each of them, too. */
struct count {
	mag_frame frame;
	MAG_ARGS(count, struct daemon *daemon; mag_signal * signals; int *seen;);
	mag_stream_signals stream;
	int64_t rc;
	int number;
};

MAG_TASK(count)
{
	MAG_BEGIN(count);
	mag_stream_signals_init(&self->stream, self->signals);
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->stream.stream, &self->number);
		if (self->rc <= 0)
			break;
		++*self->seen;
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

struct run {
	mag_frame frame;
	MAG_NO_ARGS(run);
	struct daemon daemon;
	mag_signal other;
	mag_group group;
	int64_t rc;
	int seen;
};

MAG_TASK(run)
{
	MAG_BEGIN(run);
	self->daemon = (struct daemon){ .done = MAG_EVENT_INIT };
	self->seen = 0;
	self->rc = mag_signal_open(&self->other, SIGHUP);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, count, .daemon = &self->daemon, .signals = &self->other, .seen = &self->seen);
	MAG_SPAWN(self->rc, &self->group, control, .daemon = &self->daemon);
	MAG_AWAIT(self->rc, mag_event_wait, &self->daemon.done);
	mag_signal_close(&self->other); /* ends the stream */
	MAG_GROUP_END(self->rc, &self->group);
	printf("%d times SIGHUP, the stream has seen %d\n", self->daemon.reloads, self->seen);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_RETURN(self->daemon.reloads == 3 && self->seen >= 1 && self->seen <= 3 ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, run);

	if (rc < 0)
		fprintf(stderr, "signal: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
