/* SPDX-License-Identifier: MIT */
/* ends.h - two ends of a session in one program, and what lies between them: pieces of any size, a cut, a cancellation. */
#ifndef MAGPIE_TESTS_TLS_ENDS_H
#define MAGPIE_TESTS_TLS_ENDS_H

#include <magpie/group.h>
#include <sys/socket.h>

#include "tls/certs.h"
#include "unit/net_run.h"

enum { TO_SERVER, TO_CLIENT, WAYS };
enum { SAID_MAX = 64, PIECE_MAX = 4096 };

/* How one end has fared. */
struct fate {
	int64_t handshake; /* what came of it */
	int64_t heard;     /* of the first receive */
	int64_t end;       /* of the shutdown */
	enum mag_tls_fault fault;
	unsigned alert;
	bool resumed;
	char why[MAG_TLS_WHY_BYTES], alpn[32], version[16], sni[64], peer[64];
	uint32_t cancelled; /* operations that were, and were begun again */
};

/* A conversation: the client says a few words, hears them again, and both say that this is the end. */
struct talk {
	mag_tls_context *server, *client;
	const char *host;
	size_t piece;      /* bytes that pass at a time; 0: any number */
	size_t cut[WAYS];  /* both ways are cut after so many; 0: never */
	bool poor;         /* there may be no memory for a session */
	size_t cancel_at;  /* both ends' operations are cancelled after so many bytes in all; 0: never */
	/* what comes of it */
	struct fate fate[WAYS]; /* of the client, and of the server */
	size_t passed[WAYS];
	mag_scope *scope[WAYS]; /* open at the moment, on the only worker */
	uint32_t cancels;
};

struct end {
	mag_frame frame;
	MAG_ARGS(end, struct talk *talk; int who; mag_fd fd;);
	mag_tls tls;
	mag_scope scope;
	size_t count, at;
	int64_t rc, why;
	char buf[SAID_MAX];
};

/* An operation in a scope of its own, begun again when that was cancelled. One verb a line. */
#define TRY                                                       \
	do {                                                      \
		MAG_SCOPE_BEGIN(&self->scope);                    \
		self->talk->scope[self->who] = &self->scope;
#define AGAIN(rc)                                                                 \
		self->talk->scope[self->who] = NULL;                              \
		MAG_SCOPE_END(self->why, &self->scope);                           \
		self->talk->fate[self->who].cancelled += (rc) == MAG_ECANCELED;   \
	} while ((rc) == MAG_ECANCELED && self->why < 0)

static inline void note(struct end *self)
{
	struct fate *f = &self->talk->fate[self->who];

	f->fault = mag_tls_fault(&self->tls);
	f->alert = mag_tls_alert(&self->tls);
	f->resumed = mag_tls_resumed(&self->tls);
	snprintf(f->why, sizeof(f->why), "%s", mag_tls_why(&self->tls));
	snprintf(f->alpn, sizeof(f->alpn), "%s", mag_tls_alpn(&self->tls) ? mag_tls_alpn(&self->tls) : "");
	snprintf(f->version, sizeof(f->version), "%s",
		 mag_tls_version_name(&self->tls) ? mag_tls_version_name(&self->tls) : "");
	snprintf(f->sni, sizeof(f->sni), "%s", mag_tls_sni(&self->tls) ? mag_tls_sni(&self->tls) : "");
	mag_tls_peer(&self->tls, f->peer, sizeof(f->peer));
}

static MAG_TASK(end)
{
	MAG_BEGIN(end);
	self->rc = mag_tls_init(&self->tls, self->who ? self->talk->server : self->talk->client, self->fd,
				self->who ? NULL : self->talk->host);
	CHECK(self->rc == 0 || (self->talk->poor && self->rc == -ENOMEM));
	if (self->rc < 0) {
		self->talk->fate[self->who].handshake = self->rc;
		CLOSE(self->fd);
		MAG_RETURN(0);
	}
	TRY
		MAG_AWAIT(self->rc, mag_tls_handshake, &self->tls);
	AGAIN(self->rc);
	self->talk->fate[self->who].handshake = self->rc;
	if (self->rc == 0 && !self->who) {
		self->at = 0;
		do {
			TRY
				MAG_AWAIT(self->rc, mag_tls_send_all_count, &self->tls, "magpies like rings" + self->at, 18 - self->at, &self->count);
			AGAIN(self->rc);
			self->at += self->count;
		} while (self->rc >= 0 && self->at < 18);
	}
	if (self->rc >= 0) {
		TRY
			MAG_AWAIT(self->rc, mag_tls_recv, &self->tls, self->buf, sizeof(self->buf));
		AGAIN(self->rc);
		self->talk->fate[self->who].heard = self->rc;
	}
	if (self->rc > 0) {
		CHECK(self->rc == 18 && memcmp(self->buf, "magpies like rings", 18) == 0);
		if (self->who) {
			TRY
				MAG_AWAIT(self->rc, mag_tls_send_all, &self->tls, self->buf, 18);
			AGAIN(self->rc);
		}
		TRY
			MAG_AWAIT(self->rc, mag_tls_shutdown, &self->tls);
		AGAIN(self->rc);
		self->talk->fate[self->who].end = self->rc;
	}
	note(self);
	mag_tls_fini(&self->tls);
	CLOSE(self->fd);
	MAG_RETURN(0);
	MAG_END;
}

/* One way of what lies between. */
struct relay {
	mag_frame frame;
	MAG_ARGS(relay, struct talk *talk; int way; mag_fd from; mag_fd to;);
	int64_t n, rc;
	unsigned char buf[PIECE_MAX];
};

static inline void cancel_both(struct talk *t)
{
	for (int i = 0; i < WAYS; i++) {
		if (t->scope[i])
			mag_scope_cancel(t->scope[i]);
	}
	t->cancels++;
}

static MAG_TASK(relay)
{
	MAG_BEGIN(relay);
	for (;;) {
		MAG_AWAIT(self->n, mag_recv, self->from, self->buf,
			  self->talk->cut[self->way] && self->talk->cut[self->way] - self->talk->passed[self->way] < PIECE_MAX ?
				  self->talk->cut[self->way] - self->talk->passed[self->way] :
			  self->talk->piece ? self->talk->piece : PIECE_MAX);
		if (self->n <= 0)
			break;
		MAG_AWAIT(self->rc, mag_send_all, self->to, self->buf, (size_t)self->n);
		if (self->rc < 0)
			break;
		self->talk->passed[self->way] += (size_t)self->n;
		if (self->talk->cancel_at && !self->talk->cancels &&
		    self->talk->passed[0] + self->talk->passed[1] >= self->talk->cancel_at)
			cancel_both(self->talk);
		if (self->talk->cut[self->way] && self->talk->passed[self->way] == self->talk->cut[self->way]) {
			MAG_AWAIT(self->rc, mag_shutdown, self->from, SHUT_RDWR);
			MAG_AWAIT(self->rc, mag_shutdown, self->to, SHUT_RDWR);
			MAG_RETURN(0);
		}
	}
	MAG_AWAIT(self->rc, mag_shutdown, self->to, SHUT_WR);
	MAG_RETURN(0);
	MAG_END;
}

struct talking {
	mag_frame frame;
	MAG_ARGS(talking, struct talk *talk;);
	mag_fd near[2], far[2];
	mag_group group;
	int64_t rc, joined;
};

static MAG_TASK(talking)
{
	MAG_BEGIN(talking);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->near), 0);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->far), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, relay, .talk = self->talk, .way = TO_SERVER, .from = self->near[1],
		  .to = self->far[0]);
	MAG_SPAWN(self->rc, &self->group, relay, .talk = self->talk, .way = TO_CLIENT, .from = self->far[0],
		  .to = self->near[1]);
	MAG_SPAWN(self->rc, &self->group, end, .talk = self->talk, .who = 1, .fd = self->far[1]);
	MAG_SPAWN(self->rc, &self->group, end, .talk = self->talk, .who = 0, .fd = self->near[0]);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_END(self->joined, &self->group);
	CLOSE(self->near[1]);
	CLOSE(self->far[0]);
	MAG_RETURN(self->joined);
	MAG_END;
}

/* That it went well, on both sides. */
#define WENT_WELL(t)                                                                                               \
	do {                                                                                                       \
		for (int went_i = 0; went_i < WAYS; went_i++) {                                                    \
			const struct fate *went = &(t)->fate[went_i];                                              \
			cr_assert_eq(went->handshake, 0, "%d: %s %s", went_i, mag_errname(went->handshake), went->why); \
			cr_assert_eq(went->heard, 18, "%d: %s %s", went_i, mag_errname(went->heard), went->why);   \
			cr_assert_eq(went->end, 0, "%d: %s %s", went_i, mag_errname(went->end), went->why);        \
		}                                                                                                  \
	} while (0)

#endif
