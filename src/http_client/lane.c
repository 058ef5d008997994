/* SPDX-License-Identifier: MIT */
/* lane.c - a multi handle, what it has said in callbacks, and what follows from that. See lane.h. */
#include <stdlib.h>
#include <unistd.h>

#include "http_client/exchange.h"
#include "http_client/lane.h"

enum { TIMER_TURNS = 4 }; /* a timer that is due again at once waits for the driver after these: others may run */

static int timer_wanted(CURLM *multi, long ms, void *clientp)
{
	struct magi_client_lane *lane = clientp;

	(void)multi;
	lane->due = ms < 0 ? MAG_NEVER : ms == 0 ? 0 : mag_deadline_in((uint64_t)ms * MAG_MILLISECOND);
	return 0;
}

static bool open_set(struct magi_client_lane *lane)
{
	lane->set = epoll_create1(EPOLL_CLOEXEC);
	if (lane->set < 0)
		return false;
	if (mag_fd_adopt(lane->set, &lane->set_fd) == 0)
		return true;
	close(lane->set);
	return false;
}

static void set_up(CURLM *multi, struct magi_client_lane *lane)
{
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, magi_client_socket_want);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, lane);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, timer_wanted);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, lane);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)lane->hub->options.idle_max);
}

static struct magi_client_lane *create(struct magi_client_hub *hub, uint32_t worker)
{
	struct magi_client_lane *lane = calloc(1, sizeof(*lane));

	if (!lane)
		return NULL;
	lane->hub = hub;
	lane->worker = worker;
	lane->due = lane->sweep = lane->rearm = MAG_NEVER;
	lane->awake = true;
	lane->multi = magi_client_common_headers(lane) == 0 ? curl_multi_init() : NULL;
	if (!lane->multi || !open_set(lane)) {
		curl_multi_cleanup(lane->multi);
		magi_client_lane_free(lane);
		return NULL;
	}
	set_up(lane->multi, lane);
	return lane;
}

struct magi_client_lane *magi_client_lane(struct magi_client_hub *hub)
{
	uint32_t worker = (uint32_t)mag_worker_index();

	if (!hub->lanes[worker])
		hub->lanes[worker] = create(hub, worker);
	return hub->lanes[worker];
}

void magi_client_lane_free(struct magi_client_lane *lane)
{
	for (int i = 0; i < MAGI_CLIENT_URLS; i++)
		magi_client_url_drop(lane->urls[i]);
	magi_client_names_free(lane);
	curl_slist_free_all(lane->common[false]);
	curl_slist_free_all(lane->common[true]);
	free(lane->by_raw);
	free(lane);
}

void magi_client_tell_ended(struct magi_client_lane *lane)
{
	CURLMsg *msg;
	int left;

	while (lane->multi && (msg = curl_multi_info_read(lane->multi, &left))) {
		struct magi_client_seat *seat = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		lane->progress++;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&seat);
		seat->x->done = true;
		seat->x->code = msg->data.result;
		mag_event_set(&seat->x->call->wake);
	}
}

void magi_client_check(struct magi_client_lane *lane, CURLMcode code)
{
	if (code != CURLM_OUT_OF_MEMORY)
		return;
	for (struct magi_client_exchange *x = lane->exchanges; x; x = x->next) {
		x->starved = true;
		mag_event_set(&x->call->wake);
	}
}

/* libcurl says when it wants to be called next only when that has changed. */
static void run_timer(struct magi_client_lane *lane)
{
	int running;
	long ms = -1;

	lane->due = MAG_NEVER;
	lane->now = mag_now();
	magi_client_check(lane, curl_multi_socket_action(lane->multi, CURL_SOCKET_TIMEOUT, 0, &running));
	if (lane->due == MAG_NEVER && curl_multi_timeout(lane->multi, &ms) == CURLM_OK)
		timer_wanted(lane->multi, ms, lane);
}

void magi_client_settle(struct magi_client_lane *lane)
{
	if (lane->gathering)
		return;
	for (int i = 0;
	     i < TIMER_TURNS && lane->multi && lane->due != MAG_NEVER && (!lane->due || lane->due <= mag_now()); i++)
		run_timer(lane);
	magi_client_tell_ended(lane);
	if (!lane->awake && (lane->due < lane->planned || lane->rearm < lane->planned))
		mag_event_set(&lane->tick);
}

void magi_client_plan(struct magi_client_lane *lane, uint64_t when)
{
	if (when >= lane->sweep)
		return;
	lane->sweep = when;
	if (!lane->awake && when < lane->planned)
		mag_event_set(&lane->tick);
}
