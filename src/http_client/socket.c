/* SPDX-License-Identifier: MIT */
/* socket.c - the sockets of a lane: opened and closed here, for libcurl, and kept in the lane's epoll set.
 *
 * Always:  a socket that libcurl has closed is in the set no more, with a word or without one: the kernel sees to that;
 *          of events that were taken before, the generation tells. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http_client/exchange.h"

/* Events in a row that nothing comes of while a transfer is paused: then the socket rests, for 1 << SPIN_SHIFT_MAX ms at
 * most. */
enum { SPIN_TURNS = 64, SPIN_SHIFT_MAX = 5 };

static const uint64_t again_ns = 5 * MAG_MILLISECOND; /* when the kernel had no memory for the set */

static bool make_room(struct magi_client_lane *lane, int raw)
{
	struct magi_client_socket *grown;
	int n = raw < 1024 ? 1024 : raw * 2;

	if (raw < lane->by_raw_n)
		return true;
	grown = realloc(lane->by_raw, (size_t)n * sizeof(*grown));
	if (!grown)
		return false;
	for (int i = lane->by_raw_n; i < n; i++)
		grown[i] = (struct magi_client_socket){ .open = false };
	lane->by_raw = grown;
	lane->by_raw_n = n;
	return true;
}

/* NULL: it was closed. */
static struct magi_client_socket *find(struct magi_client_lane *lane, int raw)
{
	struct magi_client_socket *s = raw < lane->by_raw_n ? &lane->by_raw[raw] : NULL;

	return s && s->open ? s : NULL;
}

/* What a number is at the moment; 0: nothing. That may be another thread's file, which is why this is not fstat:
 * ThreadSanitizer takes that for a use of it. */
static uint64_t inode_of(int raw)
{
	struct statx st;

	if (statx(raw, "", AT_EMPTY_PATH, STATX_INO | STATX_TYPE, &st) || !S_ISSOCK(st.stx_mode))
		return 0;
	return st.stx_ino;
}

static void rearm_at(struct magi_client_lane *lane, uint64_t when)
{
	lane->rearm = when < lane->rearm ? when : lane->rearm;
}

/* Tells the set what to look for: what is wanted. Of one that nobody uses, whether the peer ends it. */
static void arm(struct magi_client_lane *lane, int raw, struct magi_client_socket *s)
{
	uint32_t events = s->want ? s->want : EPOLLIN;
	struct epoll_event e = { .events = events | (events & EPOLLIN ? EPOLLRDHUP : 0),
				 .data.u64 = (uint64_t)s->generation << 32 | (uint32_t)raw };

	if (epoll_ctl(lane->set, s->listed ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, raw, &e)) {
		rearm_at(lane, mag_deadline_in(again_ns));
		return;
	}
	s->listed = true;
	s->armed = (uint16_t)events;
}

static void disarm(struct magi_client_lane *lane, int raw, struct magi_client_socket *s)
{
	if (s->listed)
		epoll_ctl(lane->set, EPOLL_CTL_DEL, raw, NULL);
	s->listed = false;
	s->armed = 0;
}

static bool is_lost(int raw, const struct magi_client_socket *s)
{
	return !s->heard && inode_of(raw) != s->inode;
}

/* libcurl has closed it. */
static void end(struct magi_client_lane *lane, struct magi_client_socket *s)
{
	s->open = false;
	lane->progress++;
	lane->stats.open -= !s->over;
}

void magi_client_socket_rearm(struct magi_client_lane *lane)
{
	lane->rearm = MAG_NEVER;
	for (int raw = 0; raw < lane->by_raw_n; raw++) {
		struct magi_client_socket *s = find(lane, raw);

		if (s && is_lost(raw, s))
			end(lane, s);
		else if (s && s->want & ~s->armed)
			arm(lane, raw, s);
	}
}

curl_socket_t magi_client_socket_open(void *clientp, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct magi_client_lane *lane = clientp;
	int raw = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
	struct magi_client_socket *s;
	uint16_t want = 0;

	(void)purpose;
	if (raw < 0)
		return CURL_SOCKET_BAD;
	if (!make_room(lane, raw)) {
		close(raw);
		return CURL_SOCKET_BAD;
	}
	s = find(lane, raw);
	if (s) { /* closed without a word; libcurl takes what it wanted of that to be known of this one */
		want = s->want;
		if (want)
			rearm_at(lane, 0); /* when it connects: before, it has hung up */
		end(lane, s);
	}
	lane->by_raw[raw] = (struct magi_client_socket){
		.open = true, .generation = ++lane->generation, .want = want, .inode = inode_of(raw)
	};
	lane->progress++;
	lane->stats.connections++;
	lane->stats.open++;
	return raw;
}

int magi_client_socket_close(void *clientp, curl_socket_t raw)
{
	struct magi_client_lane *lane = clientp;
	struct magi_client_socket *s = find(lane, raw);

	if (s) {
		disarm(lane, raw, s); /* a child of this process may have it open for a moment */
		end(lane, s);
	}
	return close(raw);
}

void magi_client_socket_sweep(struct magi_client_lane *lane, bool all)
{
	for (int raw = 0; raw < lane->by_raw_n; raw++) {
		struct magi_client_socket *s = find(lane, raw);

		if (s && (all || is_lost(raw, s)))
			end(lane, s);
	}
}

int magi_client_socket_want(CURL *easy, curl_socket_t raw, int what, void *clientp, void *socketp)
{
	struct magi_client_lane *lane = clientp;
	struct magi_client_socket *s = find(lane, raw);
	unsigned want;

	(void)easy;
	(void)socketp;
	if (!s) /* closed before it was removed */
		return 0;
	want = what == CURL_POLL_REMOVE ? 0
					: (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
	if (!want && is_lost(raw, s)) {
		end(lane, s);
		return 0;
	}
	s->want = (uint16_t)want;
	s->heard = s->heard || want & EPOLLIN;
	/* one that is no longer to be read stays: the next transfer will want that again */
	if (want & ~s->armed || s->armed & ~want & EPOLLOUT)
		arm(lane, raw, s);
	return 0;
}

/* Nobody has asked for that. One that the peer has ended while it was kept for the next request is of no use: the peer
 * must not wait for our end of it until there is one. */
static void put_off(struct magi_client_lane *lane, int raw, struct magi_client_socket *s, uint32_t events)
{
	struct epoll_event e = { .events = EPOLLRDHUP, .data.u64 = (uint64_t)s->generation << 32 | (uint32_t)raw };

	if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && !epoll_ctl(lane->set, EPOLL_CTL_MOD, raw, &e)) {
		s->armed = 0;
		return;
	}
	disarm(lane, raw, s);
	if (s->want || lane->paused || s->over || !s->heard)
		return;
	shutdown(raw, SHUT_RDWR);
	s->over = true;
	lane->stats.open--;
}

/* libcurl may go on wanting events of a socket whose transfer is paused. */
static void rest(struct magi_client_lane *lane, int raw, struct magi_client_socket *s)
{
	uint32_t shift;

	if (s->turns < UINT16_MAX)
		s->turns++;
	if (s->turns < SPIN_TURNS)
		return;
	shift = s->turns - SPIN_TURNS;
	disarm(lane, raw, s);
	rearm_at(lane, mag_deadline_in(MAG_MILLISECOND << (shift < SPIN_SHIFT_MAX ? shift : SPIN_SHIFT_MAX)));
}

void magi_client_socket_event(struct magi_client_lane *lane, const struct epoll_event *event)
{
	int raw = (int)(uint32_t)event->data.u64, running, what;
	uint32_t generation = (uint32_t)(event->data.u64 >> 32), events = event->events;
	struct magi_client_socket *s = find(lane, raw);
	uint64_t progress = lane->progress;

	if (!s || s->generation != generation)
		return;
	if (events & (EPOLLHUP | EPOLLERR)) /* they come to light when it reads or writes */
		events |= s->want;
	what = (events & s->want & EPOLLIN ? CURL_CSELECT_IN : 0) |
	       (events & s->want & EPOLLOUT ? CURL_CSELECT_OUT : 0);
	if (!what) {
		put_off(lane, raw, s, events);
		return;
	}
	lane->now = mag_now();
	magi_client_check(lane, curl_multi_socket_action(lane->multi, raw, what, &running));
	s = find(lane, raw); /* elsewhere, perhaps */
	if (!s || s->generation != generation)
		return;
	if (progress != lane->progress || !lane->paused)
		s->turns = 0;
	else
		rest(lane, raw, s);
}
