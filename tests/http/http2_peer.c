/* SPDX-License-Identifier: MIT */
/* http2_peer.c - see http2_peer.h. */
#include "http2_peer.h"

#include <criterion/criterion.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/heap.h"

static struct peer_answer *answer_of(struct peer *p, int32_t id)
{
	for (int i = 0; i < PEER_STREAMS; i++)
		if (p->answers[i].id == id)
			return &p->answers[i];
	return NULL;
}

/* What nghttp2 tells. */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t value_len, uint8_t flags, void *user)
{
	struct peer_answer *a = answer_of(user, frame->hd.stream_id);
	size_t n = a ? strlen(a->fields) : 0;

	(void)session, (void)flags, (void)name_len;
	if (!a)
		return 0;
	if (!strcmp((const char *)name, ":status")) {
		a->continued |= a->status == 100;
		a->status = atoi((const char *)value);
	}
	else if (strcmp((const char *)name, "date"))
		snprintf(a->fields + n, sizeof a->fields - n, "%s: %.*s\n", (const char *)name, (int)value_len, value);
	return 0;
}

static int on_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes, size_t n, void *user)
{
	struct peer_answer *a = answer_of(user, id);

	(void)session, (void)flags;
	for (size_t i = 0; a && i < n; i++, a->length++)
		if (a->length < PEER_TEXT - 1)
			a->text[a->length] = (char)bytes[i];
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct peer *p = user;
	struct peer_answer *a = answer_of(p, frame->hd.stream_id);

	(void)session;
	if (a && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) && frame->hd.type <= NGHTTP2_HEADERS) {
		a->ended = true;
		a->at_ms = p->ms;
	}
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		p->goaway = true;
		p->last_stream = frame->goaway.last_stream_id;
		p->goaway_error = frame->goaway.error_code;
	}
	return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
	struct peer_answer *a = answer_of(user, id);

	(void)session;
	if (a) {
		a->closed = true;
		a->error = error;
		a->at_ms = a->ended ? a->at_ms : ((struct peer *)user)->ms;
	}
	return 0;
}

static void begin_session(struct peer *p)
{
	nghttp2_session_callbacks *c;
	nghttp2_option *o;

	nghttp2_session_callbacks_new(&c);
	nghttp2_option_new(&o);
	nghttp2_option_set_no_auto_window_update(o, p->play->deaf);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_chunk);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
	mag_sim_assert(nghttp2_session_client_new2(&p->session, c, p, o) == 0);
	nghttp2_option_del(o);
	nghttp2_session_callbacks_del(c);
	nghttp2_submit_settings(p->session, NGHTTP2_FLAG_NONE, NULL, 0);
}

/* Asking. */

static ssize_t give_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
			 nghttp2_data_source *source, void *user)
{
	struct peer_answer *a = source->ptr;
	size_t n = a->to_send - a->sent < room ? a->to_send - a->sent : room;

	(void)session, (void)id, (void)user;
	if (a->to_send == PEER_NO_END && a->sent)
		return NGHTTP2_ERR_DEFERRED;
	n = a->to_send == PEER_NO_END ? 1000 : n;
	memset(out, 'a', n);
	a->sent += (uint32_t)n;
	if (a->sent == a->to_send)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static nghttp2_nv nv(const char *name, const char *value)
{
	return (nghttp2_nv){ (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
			     NGHTTP2_NV_FLAG_NONE };
}

struct peer_answer *peer_ask(struct peer *p, const char *method, const char *path, const char *const *fields, uint32_t body)
{
	nghttp2_nv all[12] = { nv(":method", method), nv(":path", path), nv(":scheme", "http"), nv(":authority", "a") };
	struct peer_answer *a = answer_of(p, 0);
	const nghttp2_data_provider source = { .source.ptr = a, .read_callback = give_body };
	size_t n = 4;

	mag_sim_assert(a);
	for (; fields && fields[0] && n < 12; fields += 2)
		all[n++] = nv(fields[0], fields[1]);
	a->to_send = body;
	a->id = nghttp2_submit_request(p->session, NULL, all, n, body ? &source : NULL, NULL);
	mag_sim_assert(a->id > 0);
	return a;
}

struct peer_answer *peer_get(struct peer *p, const char *path)
{
	return peer_ask(p, "GET", path, NULL, 0);
}

/* The server. */

static void ready(void *ctx, const mag_addr *at)
{
	(void)at;
	mag_event_set(&((struct peer *)ctx)->ready);
}

static void logged(void *ctx, const mag_http_access *a)
{
	struct peer *p = ctx;

	p->log_version = a->version;
	p->logged++;
}

static void build(struct peer *p)
{
	const mag_http_server_options o = { .size = sizeof o, .ready = ready, .access = logged, .ctx = p,
					    .streams = p->play->streams };
	int rc = mag_http_server_create(&o, &p->server);

	mag_addr_parse(&p->addr, "127.0.0.1:8080");
	rc |= peer_routes(p);
	rc |= mag_http_server_listen(p->server, &p->addr);
	mag_sim_assert(rc == 0);
}

struct peer_server {
	mag_frame frame;
	MAG_ARGS(peer_server, struct peer *p;);
	int64_t rc;
};

MAG_TASK(peer_server)
{
	MAG_BEGIN(peer_server);
	MAG_CALL(self->rc, mag_http_serve, .server = self->p->server);
	mag_sim_assert(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

/* The peer. */

bool peer_all_closed(const struct peer *p)
{
	for (int i = 0; i < PEER_STREAMS && p->answers[i].id; i++)
		if (!p->answers[i].closed)
			return false;
	return true;
}

static bool wants_more(struct peer *p)
{
	return p->play->turn ? p->play->turn(p) : !peer_all_closed(p);
}

/* What is to be sent. */
static size_t next_bytes(struct peer *p, const void **bytes)
{
	const uint8_t *at;
	ssize_t n;
	size_t raw = p->say_len;

	n = nghttp2_session_mem_send(p->session, &at);
	mag_sim_assert(n >= 0);
	*bytes = at;
	if (n > 0 || !raw)
		return (size_t)n;
	*bytes = p->say;
	p->say_len = 0;
	return raw;
}

struct peer_talk {
	mag_frame frame;
	MAG_ARGS(peer_talk, struct peer *p;);
	mag_scope scope;
	const void *bytes;
	size_t len;
	int64_t n, why;
	char in[4096];
};

/* Says what there is to say, and hears for a turn. False in the result: it is over. */
MAG_TASK(peer_talk)
{
	MAG_BEGIN(peer_talk);
	self->n = 0;
	while (self->n >= 0 && (self->len = next_bytes(self->p, &self->bytes)))
		MAG_AWAIT(self->n, mag_send_all, self->p->fd, self->bytes, self->len);
	MAG_WITH_TIMEOUT(&self->scope, (self->p->play->turn_ms ? self->p->play->turn_ms : 10) * MAG_MILLISECOND);
	MAG_AWAIT(self->n, mag_recv, self->p->fd, self->in, sizeof self->in);
	MAG_SCOPE_END(self->why, &self->scope);
	self->p->ms = (uint32_t)((mag_now() - self->p->since) / MAG_MILLISECOND);
	if (self->n > 0)
		self->n = nghttp2_session_mem_recv(self->p->session, (uint8_t *)self->in, (size_t)self->n);
	else if (self->n != MAG_ECANCELED)
		self->p->hung_up = true;
	MAG_RETURN(!self->p->hung_up && wants_more(self->p));
	MAG_END;
}

static void reset(mag_fd fd)
{
	static const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	mag_socket_option(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

struct peer_stopper {
	mag_frame frame;
	MAG_ARGS(peer_stopper, struct peer *p;);
	int64_t rc;
};

MAG_TASK(peer_stopper)
{
	MAG_BEGIN(peer_stopper);
	MAG_AWAIT(self->rc, mag_sleep, self->p->play->stop_ms * MAG_MILLISECOND);
	mag_http_server_stop(self->p->server);
	MAG_RETURN(0);
	MAG_END;
}

struct peer_life {
	mag_frame frame;
	MAG_ARGS(peer_life, const struct play *play;);
	struct peer *p;
	mag_group group;
	int64_t rc, waste;
};

static void judge(struct peer *p)
{
	p->ms = (uint32_t)((mag_now() - p->since) / MAG_MILLISECOND);
	p->metrics = (mag_http_metrics){ .size = sizeof p->metrics };
	mag_http_server_metrics(p->server, &p->metrics);
	mag_sim_assert(p->metrics.connections == 0);
	if (p->play->most_ms && p->ms > p->play->most_ms)
		mag_sim_fail("it takes %u ms, not %u", p->ms, p->play->most_ms);
	if (p->play->judge)
		p->play->judge(p);
	mag_http_server_destroy(p->server);
	nghttp2_session_del(p->session);
	mag_event_fini(&p->handlers.gate);
}

MAG_TASK(peer_life)
{
	MAG_BEGIN(peer_life);
	self->p = calloc(1, sizeof *self->p);
	self->p->play = self->play;
	build(self->p);
	begin_session(self->p);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, peer_server, .p = self->p);
	MAG_AWAIT(self->rc, mag_event_wait, &self->p->ready);
	MAG_CALL(self->rc, mag_tcp_connect, .addr = &self->p->addr, .fd = &self->p->fd);
	self->p->since = mag_now();
	if (self->rc == 0) {
		if (self->play->stop_ms)
			MAG_SPAWN(self->rc, &self->group, peer_stopper, .p = self->p);
		self->play->begin(self->p);
		do
			MAG_CALL(self->rc, peer_talk, .p = self->p);
		while (self->rc > 0);
		if (self->play->rude)
			reset(self->p->fd);
		MAG_AWAIT(self->waste, mag_close, self->p->fd);
	}
	mag_http_server_stop(self->p->server);
	MAG_GROUP_END(self->rc, &self->group);
	judge(self->p);
	free(self->p);
	mag_sim_assert_quiescent();
	MAG_RETURN(0);
	MAG_END;
}

int64_t peer_run(uint64_t seed, const mag_sim_options *o, const struct play *play)
{
	return mag_sim_run_into(&(mag_sim_result){ 0 }, seed, o, peer_life, .play = play);
}

void peer_play(const struct play *play)
{
	heap_keep();
	for (uint64_t seed = 1; seed <= 20; seed++) {
		const mag_sim_options o = { .size = sizeof o, .faults = seed % 2 ? MAG_SIM_NONE : MAG_SIM_MILD };

		cr_assert_geq(peer_run(seed, &o, play), 0);
	}
}
