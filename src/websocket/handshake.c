/* SPDX-License-Identifier: MIT */
/* handshake.c - RFC 6455, section 4: what is asked for and answered, and both ends of it over a stream. */
#include <errno.h>
#include <magpie/scope.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "websocket/frames.h"
#include "websocket/head.h"

int mag_websocket_upgrade(const mag_websocket_request *r, const char *protocols, const char *origins,
			  mag_websocket_answer *a)
{
	memset(a, 0, sizeof(*a));
	a->why = "";
	if (!r->method || strcmp(r->method, "GET") != 0)
		a->why = "a WebSocket begins with GET";
	else if (!magi_head_has(r->upgrade, "websocket"))
		a->why = "no Upgrade: websocket";
	else if (!magi_head_has(r->connection, "upgrade"))
		a->why = "no Connection: Upgrade";
	else if (!r->version || !magi_head_has(r->version, "13"))
		a->why = "no Sec-WebSocket-Version: 13";
	else if (mag_websocket_accept_key(r->key, a->accept) < 0)
		a->why = "no Sec-WebSocket-Key of 16 bytes";
	if (*a->why)
		return strstr(a->why, "Version") ? 426 : 400;
	if (!magi_head_origin(r->origin, r->host, origins)) {
		a->why = "a page of another site may not connect: its Origin is not allowed";
		return 403;
	}
	magi_head_protocol(protocols, r->protocol, a->protocol);
	return 101;
}

/* One handshake; its memory is one block: what is received, what is sent. */
struct shaking {
	mag_frame frame;
	MAG_ARGS(shaking, mag_websocket *ws; const char *host; const char *target; char *into; size_t size;);
	mag_scope scope;
	size_t come, end, count;
	int64_t rc, why;
	int status;
	char key[MAG_WEBSOCKET_KEY_LEN + 1];
	mag_websocket_answer answer;
	int len;
	char *text; /* MAG_WEBSOCKET_HEAD_MAX, twice */
};

static int64_t wrong(struct shaking *s, const char *why)
{
	s->ws->why = why;
	return -EPROTO;
}

/* What goes in a line must not begin another. */
static bool is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 127)
			return false;
	}
	return true;
}

static bool list_is_plain(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 127)
			return false;
	}
	return true;
}

static int64_t compose_request(struct shaking *s)
{
	const char *protocols = s->ws->o.protocols;
	char *out = s->text + MAG_WEBSOCKET_HEAD_MAX;

	if (!s->host || !s->target || s->target[0] != '/' || !is_plain(s->host) || !is_plain(s->target) ||
	    (protocols && !list_is_plain(protocols)))
		return -EINVAL;
	mag_websocket_make_key(s->key);
	s->len = snprintf(out, MAG_WEBSOCKET_HEAD_MAX,
			  "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s%s%s\r\n",
			  s->target, s->host, s->key, protocols ? "Sec-WebSocket-Protocol: " : "",
			  protocols ? protocols : "", protocols ? "\r\n" : "");
	return s->len >= MAG_WEBSOCKET_HEAD_MAX ? MAG_ETOOLONG : 0;
}

/* Whether the server has agreed. */
static int64_t check_answer(struct shaking *s)
{
	char accept[MAG_WEBSOCKET_ACCEPT_LEN + 1], *room = s->text + MAG_WEBSOCKET_HEAD_MAX; /* what was there is sent */
	const char *field;

	if (!magi_head_split(s->text, s->end))
		return wrong(s, "the answer is no HTTP");
	if (strncmp(s->text, "HTTP/1.1 101", 12) != 0 || (s->text[12] && s->text[12] != ' '))
		return wrong(s, strncmp(s->text, "HTTP/1.", 7) == 0 ? "the server answers with another status than 101"
								    : "the answer is no HTTP");
	if (!magi_head_has(magi_head_list(s->text, s->end, "Upgrade", &room), "websocket") ||
	    !magi_head_has(magi_head_list(s->text, s->end, "Connection", &room), "upgrade"))
		return wrong(s, "the server does not upgrade to WebSocket");
	mag_websocket_accept_key(s->key, accept);
	field = magi_head_field(s->text, s->end, "Sec-WebSocket-Accept");
	if (!field || magi_head_count(s->text, s->end, "Sec-WebSocket-Accept") != 1 ||
	    strncmp(field, accept, MAG_WEBSOCKET_ACCEPT_LEN) != 0 ||
	    field[MAG_WEBSOCKET_ACCEPT_LEN + strspn(field + MAG_WEBSOCKET_ACCEPT_LEN, " \t")])
		return wrong(s, "the server's Sec-WebSocket-Accept is not that of the key");
	if (magi_head_field(s->text, s->end, "Sec-WebSocket-Extensions"))
		return wrong(s, "the server uses an extension that was not asked for");
	field = magi_head_field(s->text, s->end, "Sec-WebSocket-Protocol");
	if (field && !magi_head_protocol(s->ws->o.protocols, field, s->ws->protocol))
		return wrong(s, "the server speaks a protocol that was not asked for");
	return 0;
}

/* The request, taken apart in place; NULL: it is badly made. */
static const char *take_request(struct shaking *s, mag_websocket_request *r)
{
	char *target, *version, *room = s->text + MAG_WEBSOCKET_HEAD_MAX; /* nothing is to be sent yet */
	size_t len;

	if (!magi_head_split(s->text, s->end) || !(target = strchr(s->text, ' ')) ||
	    !(version = strchr(target + 1, ' ')) || strcmp(version, " HTTP/1.1") != 0)
		return NULL;
	*target++ = *version++ = 0;
	len = s->end - (size_t)(version - s->text);
	if (magi_head_count(version, len, "Host") != 1 || magi_head_count(version, len, "Sec-WebSocket-Key") > 1 ||
	    magi_head_count(version, len, "Origin") > 1)
		return NULL;
	*r = (mag_websocket_request){
		.method = s->text,
		.upgrade = magi_head_list(version, len, "Upgrade", &room),
		.connection = magi_head_list(version, len, "Connection", &room),
		.version = magi_head_list(version, len, "Sec-WebSocket-Version", &room),
		.key = magi_head_field(version, len, "Sec-WebSocket-Key"),
		.protocol = magi_head_list(version, len, "Sec-WebSocket-Protocol", &room),
		.host = magi_head_field(version, len, "Host"),
		.origin = magi_head_field(version, len, "Origin"),
	};
	return target;
}

static void compose_refusal(struct shaking *s)
{
	const char *status = s->status == 426   ? "426 Upgrade Required"
			     : s->status == 403 ? "403 Forbidden"
						: "400 Bad Request";

	s->len = snprintf(
		s->text + MAG_WEBSOCKET_HEAD_MAX, MAG_WEBSOCKET_HEAD_MAX,
		"HTTP/1.1 %s\r\n%sConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s\n",
		status, s->status == 426 ? "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n" : "",
		strlen(s->answer.why) + 1, s->answer.why);
}

/* From the request to the answer. */
static void compose_answer(struct shaking *s)
{
	mag_websocket_request r;
	const char *target = take_request(s, &r);

	s->status = 400;
	s->answer.why = "the request is no HTTP/1.1 with one Host, one key, one Origin";
	if (target)
		s->status = mag_websocket_upgrade(&r, s->ws->o.protocols, s->ws->o.origins, &s->answer);
	if (s->status != 101) {
		compose_refusal(s);
		return;
	}
	if (s->into && s->size)
		snprintf(s->into, s->size, "%s", target);
	memcpy(s->ws->protocol, s->answer.protocol, sizeof(s->ws->protocol));
	s->len = snprintf(s->text + MAG_WEBSOCKET_HEAD_MAX, MAG_WEBSOCKET_HEAD_MAX,
			  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
			  "Sec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
			  s->answer.accept, *s->answer.protocol ? "Sec-WebSocket-Protocol: " : "", s->answer.protocol,
			  *s->answer.protocol ? "\r\n" : "");
}

/* What has come behind the head is the first of the frames. */
static int64_t keep_rest(struct shaking *s)
{
	return magi_websocket_append(&s->ws->in, s->text + s->end, s->come - s->end) ? 0 : -ENOMEM;
}

/* Receives a head. */
struct heading {
	mag_frame frame;
	MAG_ARGS(heading, struct shaking *s;);
	int64_t rc;
};

static MAG_TASK(heading)
{
	MAG_BEGIN(heading);
	self->s->come = self->s->end = 0;
	while (!self->s->end) {
		if (self->s->come == MAG_WEBSOCKET_HEAD_MAX) {
			self->s->ws->why = "the head of the handshake is too long";
			MAG_RETURN(MAG_ETOOLONG);
		}
		MAG_AWAIT(self->rc, self->s->ws->ops->recv, self->s->ws->stream, self->s->text + self->s->come,
			  MAG_WEBSOCKET_HEAD_MAX - self->s->come);
		if (self->rc <= 0)
			MAG_RETURN(self->rc ? self->rc : MAG_EEOF);
		self->s->come += (size_t)self->rc;
		self->s->end = magi_head_end(self->s->text, self->s->come);
	}
	MAG_RETURN(0);
	MAG_END;
}

static MAG_TASK(shaking)
{
	MAG_BEGIN(shaking);
	self->text = malloc(2 * MAG_WEBSOCKET_HEAD_MAX);
	if (!self->text)
		MAG_RETURN(-ENOMEM);
	MAG_WITH_TIMEOUT(&self->scope, self->ws->o.handshake_ns);
	self->rc = 0;
	if (self->ws->o.role == MAG_WEBSOCKET_CLIENT) {
		self->rc = compose_request(self);
	} else {
		MAG_CALL(self->rc, heading, .s = self);
		if (self->rc == 0)
			compose_answer(self);
	}
	if (self->rc == 0)
		MAG_AWAIT(self->rc, self->ws->ops->send_all, self->ws->stream, self->text + MAG_WEBSOCKET_HEAD_MAX,
			  (size_t)self->len, &self->count);
	if (self->rc >= 0 && self->ws->o.role == MAG_WEBSOCKET_CLIENT) {
		MAG_CALL(self->rc, heading, .s = self);
		if (self->rc == 0)
			self->rc = check_answer(self);
	} else if (self->rc >= 0) {
		self->rc = self->status == 101 ? 0 : wrong(self, self->answer.why);
	}
	if (self->rc == 0)
		self->rc = keep_rest(self);
	MAG_SCOPE_END(self->why, &self->scope);
	free(self->text);
	self->ws->o.protocols = self->ws->o.origins = NULL;
	MAG_RETURN(self->rc == MAG_ECANCELED && self->why < 0 ? self->why : self->rc);
	MAG_END;
}

mag_frame *mag_websocket_connect(mag_worker *w, mag_frame *f, mag_websocket *ws, const char *host, const char *target)
{
	if (!ws || !ws->frames || ws->in.data || ws->o.role != MAG_WEBSOCKET_CLIENT)
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(shaking, .ws = ws, .host = host, .target = target);
}

mag_frame *mag_websocket_accept(mag_worker *w, mag_frame *f, mag_websocket *ws, char *target, size_t size)
{
	if (!ws || !ws->frames || ws->in.data || ws->o.role != MAG_WEBSOCKET_SERVER)
		MAG_OP_DONE(-EINVAL);
	MAG_OP_CALL(shaking, .ws = ws, .into = target, .size = size);
}
