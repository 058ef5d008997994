/* SPDX-License-Identifier: MIT */
/* load_conn.c - sending the request, reading the answer, counting it, and what may go wrong between.
 *
 * The clock is read once a request: in a closed loop the end of one is the start of the next. */
#include "load_conn.h"

#include <magpie/time.h>

#include "load_pace.h"

#define PAUSE_MIN_NS MAG_MILLISECOND
#define PAUSE_MAX_NS (100 * MAG_MILLISECOND)
#define GRACE_NS (100 * MAG_MILLISECOND) /* for what was due just before the end */

/* Whether one more request may be begun; counts it. */
static bool take(struct load_conn *c)
{
	struct load_worker *at = c->at;

	if (c->broken)
		return false;
	if (at->load->plan.rate > 0) {
		if (at->taken >= at->due || c->now > at->load->stop_at + GRACE_NS)
			return false; /* the schedule is over */
		c->from = load_due_at(at, at->taken++);
	} else {
		if (at->left == 0 || c->now >= at->load->stop_at)
			return false;
		at->left--;
		c->from = c->now;
	}
	c->resend = c->watch->expired = false;
	return true;
}

static void count_answer(struct load_conn *c)
{
	struct load_tally *t = &c->at->tally;

	c->now = mag_now();
	c->used = true;
	t->answers++;
	t->bytes += c->reader.bytes;
	t->status[c->reader.status < LOAD_STATUSES ? c->reader.status : 0]++;
	if (c->now > c->at->load->stop_at)
		t->late++;
	histogram_add(&t->latency, c->now > c->from ? c->now - c->from : 0);
}

static void count_failure(struct load_conn *c)
{
	struct load_tally *t = &c->at->tally;
	int64_t rc = c->watch->expired ? MAG_ETIMEDOUT : c->rc;
	const char *words = mag_strerror(rc);
	enum load_error error;

	c->now = mag_now();
	if (rc == MAG_ECANCELED) {
		c->broken = true;
		t->unfinished++;
		return;
	}
	if (c->got == LOAD_READ_TOO_LARGE) {
		error = LOAD_TOO_LARGE;
		words = "a head of more than 64 KiB, or more than 1 GiB in all";
	} else if (c->got == LOAD_READ_MALFORMED) {
		error = LOAD_MALFORMED;
		words = c->reader.why;
	} else {
		error = load_error_of((enum load_phase)c->phase, rc);
		if (rc == 0 || rc == MAG_ETIMEDOUT)
			words = error == LOAD_CLOSED && c->reader.begun ? "in the midst of an answer" : "";
	}
	t->errors[error]++;
	t->example[error] = words;
}

/* Some bytes have come, or the end of the stream. */
static void read_some(struct load_conn *c, int64_t n)
{
	if (n > 0) {
		c->got = load_reader_feed(&c->reader, c->buf, (size_t)n);
	} else if (n == 0) {
		c->got = load_reader_end(&c->reader);
		c->reader.keep_alive = false;
	}
}

static bool is_cut_off(int64_t rc)
{
	return rc == -EPIPE || rc == -ECONNRESET;
}

/* A server may close a connection that is idle at any time, and a request that crosses this is no error of anybody
 * (RFC 9112, 9.3.1): it is sent once more. */
static bool may_try_again(const struct load_conn *c)
{
	return c->got == LOAD_READ_MORE && c->phase != LOAD_CONNECTING && c->used && !c->reader.begun && !c->resend &&
	       !c->watch->expired && c->at->load->plan.request->idempotent && (c->rc == 0 || is_cut_off(c->rc));
}

static void end_exchange(struct load_conn *c)
{
	bool again = may_try_again(c);

	c->resend = again;
	if (again)
		c->at->tally.again++;
	else if (c->got == LOAD_READ_DONE)
		count_answer(c);
	else
		count_failure(c);
}

static bool stays_open(const struct load_conn *c)
{
	return c->got == LOAD_READ_DONE && c->reader.keep_alive && !c->at->load->plan.close && !c->watch->expired;
}

/* A server that takes no connections is asked less and less often. In an open loop the rate says how often. */
static bool must_pause(struct load_conn *c)
{
	if (c->phase != LOAD_CONNECTING || c->rc >= 0) {
		c->pause_ns = 0;
		return false;
	}
	c->pause_ns = c->pause_ns ? 2 * c->pause_ns : PAUSE_MIN_NS;
	if (c->pause_ns > PAUSE_MAX_NS)
		c->pause_ns = PAUSE_MAX_NS;
	return c->at->load->plan.rate <= 0;
}

struct load_connect {
	mag_frame frame;
	MAG_ARGS(load_connect, struct load_conn *conn;);
	uint64_t from;
	int64_t rc;
};

static MAG_TASK(load_connect)
{
	MAG_BEGIN(load_connect);
	self->conn->phase = LOAD_CONNECTING;
	self->conn->used = false;
	self->from = mag_now();
	MAG_CALL(self->rc, load_wire_open, .wire = &self->conn->wire, .addr = &self->conn->at->load->addr,
		 .timeout_ns = self->conn->at->load->plan.timeout_ns, .tls = self->conn->at->load->plan.tls,
		 .host = self->conn->at->load->plan.host);
	if (self->rc >= 0) {
		histogram_add(&self->conn->at->connects, mag_now() - self->from);
		self->conn->at->tally.opened++;
	}
	MAG_RETURN(self->rc);
	MAG_END;
}

/* One request on an open connection; conn->got says what has come of it. */
struct load_exchange {
	mag_frame frame;
	MAG_ARGS(load_exchange, struct load_conn *conn;);
	int64_t rc;
	bool sent;
};

static void begin_exchange(struct load_conn *c)
{
	c->phase = LOAD_SENDING;
	c->reader.begun = false;
	c->watch->fd = c->wire.fd;
	c->watch->since = c->now;
}

static MAG_TASK(load_exchange)
{
	MAG_BEGIN(load_exchange);
	begin_exchange(self->conn);
	MAG_AWAIT(self->rc, load_wire_send, &self->conn->wire, self->conn->at->load->plan.request->bytes,
		  self->conn->at->load->plan.request->len);
	if (self->rc > 0 || is_cut_off(self->rc)) {
		/* who refuses a body may answer, and close before it has all come: the answer counts */
		self->sent = self->rc > 0;
		self->conn->phase = LOAD_RECEIVING;
		do {
			MAG_AWAIT(self->rc, load_wire_recv, &self->conn->wire, self->conn->buf, sizeof self->conn->buf);
			read_some(self->conn, self->rc);
		} while (self->rc > 0 && self->conn->got == LOAD_READ_MORE);
		self->conn->reader.keep_alive &= self->sent;
	}
	self->conn->watch->since = 0;
	MAG_RETURN(self->rc);
	MAG_END;
}

MAG_TASK(load_conn)
{
	MAG_BEGIN(load_conn);
	load_reader_init(&self->reader, self->at->load->plan.request->head);
	/* the first connection is made before the clock starts */
	MAG_CALL(self->rc, load_connect, .conn = self);
	mag_semaphore_release(&self->at->load->connected, 1);
	MAG_AWAIT(self->rc, mag_event_wait, &self->at->load->go);
	self->broken = self->rc < 0;
	self->now = mag_now();
	for (;;) {
		if (self->at->load->plan.rate > 0) {
			MAG_AWAIT(self->rc, mag_semaphore_acquire, &self->at->tickets, 1);
			self->broken |= self->rc < 0;
			self->now = mag_now();
		}
		if (!take(self))
			break;
		do {
			self->got = LOAD_READ_MORE;
			self->rc = 0;
			if (!load_wire_is_open(&self->wire)) {
				MAG_CALL(self->rc, load_connect, .conn = self);
				self->now = mag_now();
			}
			if (self->rc >= 0)
				MAG_CALL(self->rc, load_exchange, .conn = self);
			end_exchange(self);
			if (!stays_open(self))
				MAG_CALL(self->waste, load_wire_close, .wire = &self->wire);
		} while (self->resend);
		if (must_pause(self)) {
			MAG_AWAIT(self->rc, mag_sleep, self->pause_ns);
			self->broken |= self->rc < 0;
			self->now = mag_now();
		}
	}
	MAG_CALL(self->waste, load_wire_close, .wire = &self->wire);
	MAG_RETURN(0);
	MAG_END;
}
