/* SPDX-License-Identifier: MIT */
/* poller.c - the task of a lane that waits for its sockets: for the epoll set with all of them in it. What is ready is
 * given to libcurl, one socket after the other; those whose answers have come get a turn to ask for the next thing, and
 * then libcurl sends all that at once. So each part of a request is done for many in a row: the code stays in the cache,
 * as in a loop over curl_multi_perform. */
#include <errno.h>

#include "http_client/exchange.h"

enum {
	EVENTS = 64, /* taken at a time */
	TURNS = 2    /* for a transfer to end, and for the next one of the same caller's to begin */
};

static void take(struct magi_client_lane *lane)
{
	struct epoll_event events[EVENTS];
	int n = lane->multi ? epoll_wait(lane->set, events, EVENTS, 0) : 0; /* a lane that is closed has no set */

	for (int i = 0; i < n && lane->multi; i++)
		magi_client_socket_event(lane, &events[i]);
	magi_client_tell_ended(lane);
}

MAG_TASK(magi_client_poller)
{
	MAG_BEGIN(magi_client_poller);
	for (;;) {
		MAG_AWAIT(self->rc, mag_poll, self->lane->set_fd, POLLIN);
		if (self->rc < 0 && self->rc != -ENOMEM) /* the lane is closed, or the runtime ends */
			break;
		self->lane->gathering = true;
		take(self->lane);
		for (self->i = 0; self->i < TURNS; self->i++)
			MAG_YIELD(self->rc);
		self->lane->gathering = false;
		magi_client_settle(self->lane);
	}
	self->lane->polled = false;
	mag_event_set(&self->lane->left);
	MAG_RETURN(0);
	MAG_END;
}
