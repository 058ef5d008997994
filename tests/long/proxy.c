/* SPDX-License-Identifier: MIT */
/* proxy.c - passes TCP connections on, and is no good network: proxy LISTEN TARGET SEED mild|rough
 *
 * What it does to a piece of what it passes on, in either direction, is drawn from the seed, the number of the connection
 * and the direction. mild: all comes in the end, late (delay), byte by byte (split) or after a silence (stall). rough: one
 * side is also told that nothing more will come while the other goes on (half), both are closed in the middle (cut), or
 * reset. Ends with SIGTERM; says then how often it did what. */
#include <errno.h>
#include <magpie/acceptor.h>
#include <magpie/impl/atomic.h>
#include <magpie/magpie.h>
#include <magpie/poll.h>
#include <magpie/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

enum { LINKS_MAX = 400, PIECE_MAX = 4096, SPLIT_MAX = 300, DELAY_MAX_MS = 20, STALL_MIN_MS = 50, STALL_MAX_MS = 500 };

enum deed { PASS, DELAY, SPLIT, STALL, HALF, CUT, RESET, DEEDS };
static const char *const names[DEEDS] = { "pass", "delay", "split", "stall", "half", "cut", "reset" };
static const uint32_t mild[DEEDS] = { 70, 15, 10, 5 }, rough[DEEDS] = { 60, 12, 10, 4, 4, 5, 5 };

struct proxy {
	mag_addr at, target;
	uint64_t seed;
	const uint32_t *odds;
	uint32_t sum; /* of the odds */
	int stop;
	uint64_t links;
	uint64_t did[DEEDS]; /* atomic [stat] */
};

/* splitmix64 */
static uint64_t draw(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static enum deed choose(struct proxy *p, uint64_t *random)
{
	uint32_t at = (uint32_t)(draw(random) % p->sum), d = 0;

	while (at >= p->odds[d])
		at -= p->odds[d++];
	magi_add_rlx(&p->did[d], 1); /* [stat] */
	return (enum deed)d;
}

static void reset_when_closed(mag_fd fd)
{
	static const struct linger none = { .l_onoff = 1, .l_linger = 0 };

	mag_socket_option(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

/* One direction, until its end: 0, or an error that ends both. */
struct relay {
	mag_frame frame;
	MAG_ARGS(relay, struct proxy *proxy; mag_fd from; mag_fd to; uint64_t random;);
	enum deed deed;
	int64_t n, rc;
	size_t at, piece;
	char buf[PIECE_MAX];
};

/* How much of what was received goes in one send. */
static size_t piece_of(struct relay *r)
{
	size_t left = (size_t)r->n - r->at;

	if (r->deed != SPLIT)
		return left;
	return r->at < SPLIT_MAX ? 1 : left;
}

static uint64_t pause_of(struct relay *r)
{
	switch (r->deed) {
	case DELAY:
		return draw(&r->random) % (DELAY_MAX_MS * MAG_MILLISECOND);
	case STALL:
		return (STALL_MIN_MS + draw(&r->random) % (STALL_MAX_MS - STALL_MIN_MS)) * MAG_MILLISECOND;
	default:
		return 0;
	}
}

MAG_TASK(relay)
{
	MAG_BEGIN(relay);
	do {
		MAG_AWAIT(self->n, mag_recv, self->from, self->buf, 1 + draw(&self->random) % sizeof self->buf);
		if (self->n <= 0)
			break;
		self->deed = choose(self->proxy, &self->random);
		if (self->deed == RESET) {
			reset_when_closed(self->from);
			reset_when_closed(self->to);
		}
		if (self->deed >= CUT) {
			/* some of the piece arrives */
			MAG_AWAIT(self->rc, mag_send_all, self->to, self->buf, (size_t)self->n / 2);
			MAG_RETURN(-ECONNABORTED);
		}
		if (self->deed == DELAY || self->deed == STALL) {
			MAG_AWAIT(self->rc, mag_sleep, pause_of(self));
			if (self->rc < 0)
				MAG_RETURN(self->rc);
		}
		for (self->at = 0, self->rc = 0; self->at < (size_t)self->n && self->rc >= 0; self->at += self->piece) {
			self->piece = piece_of(self);
			MAG_AWAIT(self->rc, mag_send_all, self->to, self->buf + self->at, self->piece);
		}
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	} while (self->deed != HALF);
	if (self->n < 0)
		MAG_RETURN(self->n);
	MAG_AWAIT(self->rc, mag_shutdown, self->to, SHUT_WR);
	MAG_RETURN(0);
	MAG_END;
}

/* One connection. */
struct join {
	mag_frame frame;
	MAG_ARGS(join, struct proxy *proxy; mag_fd client; uint64_t number;);
	mag_fd server;
	mag_group group;
	uint64_t random;
	int64_t rc, waste;
};

MAG_TASK(join)
{
	MAG_BEGIN(join);
	self->random = self->proxy->seed + self->number * 2;
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->proxy->target, .fd = &self->server);
	if (self->rc < 0) {
		MAG_AWAIT(self->waste, mag_close, self->client);
		MAG_RETURN(self->rc);
	}
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, relay, .proxy = self->proxy, .from = self->client, .to = self->server,
		  .random = draw(&self->random));
	if (self->rc == 0)
		MAG_SPAWN(self->rc, &self->group, relay, .proxy = self->proxy, .from = self->server,
			  .to = self->client, .random = draw(&self->random));
	if (self->rc < 0)
		mag_group_cancel(&self->group);
	MAG_GROUP_END(self->waste, &self->group);
	MAG_AWAIT(self->waste, mag_close, self->client);
	MAG_AWAIT(self->waste, mag_close, self->server);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct listen {
	mag_frame frame;
	MAG_ARGS(listen, struct proxy *proxy; mag_fd listener;);
	mag_acceptor acceptor;
	mag_group group;
	mag_fd fd;
	int64_t rc, waste;
};

MAG_TASK(listen)
{
	MAG_BEGIN(listen);
	self->rc = mag_acceptor_start(&self->acceptor, self->listener, NULL);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT, .limit = LINKS_MAX);
	for (;;) {
		MAG_AWAIT(self->rc, mag_acceptor_next, &self->acceptor, &self->fd);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, &self->group, join, .proxy = self->proxy, .client = self->fd,
			  .number = self->proxy->links++);
		if (self->rc < 0)
			MAG_AWAIT(self->waste, mag_close, self->fd);
	}
	MAG_AWAIT(self->waste, mag_acceptor_close, &self->acceptor);
	MAG_GROUP_END(self->waste, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct proxy_run {
	mag_frame frame;
	MAG_ARGS(proxy_run, struct proxy *proxy;);
	mag_fd listener, stop;
	mag_group group;
	char text[MAG_ADDR_TEXT_MAX];
	int64_t rc, waste;
};

MAG_TASK(proxy_run)
{
	MAG_BEGIN(proxy_run);
	self->rc = mag_fd_adopt(self->proxy->stop, &self->stop);
	if (self->rc == 0)
		self->rc = mag_tcp_listen(&self->proxy->at, NULL, &self->listener);
	if (self->rc == 0)
		self->rc = mag_fd_local_addr(self->listener, &self->proxy->at);
	if (self->rc == 0)
		self->rc = mag_addr_format(&self->proxy->at, self->text, sizeof self->text);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("listening on %s\n", self->text);
	fflush(stdout);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, listen, .proxy = self->proxy, .listener = self->listener);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_poll, self->stop, POLLIN);
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->waste, &self->group);
	MAG_AWAIT(self->waste, mag_close, self->listener);
	mag_fd_release(self->stop);
	MAG_RETURN(self->rc);
	MAG_END;
}

int main(int argc, char **argv)
{
	const mag_runtime_options o = { .size = sizeof o, .workers = 2 };
	struct proxy p = { 0 };
	sigset_t set;
	int64_t rc;

	if (argc != 5 || mag_addr_parse(&p.at, argv[1]) < 0 || mag_addr_parse(&p.target, argv[2]) < 0) {
		fprintf(stderr, "usage: proxy ADDR:PORT TARGET:PORT SEED mild|rough\n");
		return 2;
	}
	p.seed = strtoull(argv[3], NULL, 0) << 32;
	p.odds = strcmp(argv[4], "rough") ? mild : rough;
	for (int d = 0; d < DEEDS; d++)
		p.sum += p.odds[d];
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	p.stop = signalfd(-1, &set, SFD_CLOEXEC);
	rc = p.stop < 0 ? -errno : mag_run(&o, proxy_run, .proxy = &p);
	if (rc < 0) {
		fprintf(stderr, "proxy: %s %s\n", mag_strerror(rc), mag_runtime_why());
		return 1;
	}
	printf("%llu connections:", (unsigned long long)p.links);
	for (int d = 0; d < DEEDS; d++)
		printf(" %llu %s", (unsigned long long)magi_load_rlx(&p.did[d]), names[d]); /* [stat] */
	printf("\n");
	return 0;
}
