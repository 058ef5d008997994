/* SPDX-License-Identifier: MIT */
/* 27_fetch_many.c - forty URLs, eight at once, and a record for each, whatever becomes of it. The server, a few
 * lines at the end of this file, does not have all of them, and hangs up on some. */
/* needs: http_client */
#include <errno.h>
#include <magpie/http_client.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <string.h>

enum { URLS = 40, AT_ONCE = 8 };

struct record {
	int status;
	size_t bytes;
	mag_http_fault fault;
	char why[80];
};

struct fetch {
	mag_frame frame;
	MAG_ARGS(fetch, mag_http_session *session; int i; struct record * record;);
	mag_http_response response;
	char path[32];
	int64_t rc;
};

MAG_TASK(fetch)
{
	MAG_BEGIN(fetch);
	self->response = (mag_http_response)MAG_HTTP_RESPONSE_INIT;
	snprintf(self->path, sizeof(self->path), "items/%d", self->i);
	MAG_AWAIT(self->rc, mag_http_get, self->session, self->path, &self->response);
	*self->record = (struct record){ .status = self->response.status,
					 .bytes = self->response.length,
					 .fault = self->response.fault };
	snprintf(self->record->why, sizeof(self->record->why), "%.79s", self->response.why);
	mag_http_response_fini(&self->response);
	MAG_RETURN(0); /* one that fails is a record, and does not end the others */
	MAG_END;
}

struct fetch_all {
	mag_frame frame;
	MAG_ARGS(fetch_all, mag_http_session *session; struct record * records;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(fetch_all)
{
	MAG_BEGIN(fetch_all);
	MAG_GROUP_BEGIN(&self->group, .limit = AT_ONCE); /* the next one is not even started before there is a place */
	for (self->i = 0; self->i < URLS; self->i++) {
		MAG_SPAWN(self->rc, &self->group, fetch, .session = self->session, .i = self->i,
			  .record = &self->records[self->i]);
		if (self->rc < 0)
			break;
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* The server. */
struct serve_conn {
	mag_frame frame;
	MAG_ARGS(serve_conn, mag_fd fd;);
	char in[2048];
	const char *answer;
	size_t have;
	int64_t rc;
	int item;
};

MAG_TASK(serve_conn)
{
	MAG_BEGIN(serve_conn);
	do {
		self->have = 0;
		do {
			MAG_AWAIT(self->rc, mag_recv, self->fd, self->in + self->have,
				  sizeof(self->in) - 1 - self->have);
			self->have += self->rc > 0 ? (size_t)self->rc : 0;
			self->in[self->have] = 0;
		} while (self->rc > 0 && !strstr(self->in, "\r\n\r\n"));
		if (self->rc <= 0 || sscanf(self->in, "GET /items/%d ", &self->item) != 1 || self->item % 10 == 7)
			break; /* it hangs up */
		self->answer = self->item % 10 == 3 ? "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
						    : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nitem";
		MAG_AWAIT(self->rc, mag_send_all, self->fd, self->answer, strlen(self->answer));
	} while (self->rc > 0);
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_fd listener;);
	mag_group group;
	mag_fd fd;
	int64_t rc;
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	for (;;) {
		MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
		if (self->rc < 0)
			break;
		MAG_SPAWN(self->rc, &self->group, serve_conn, .fd = self->fd);
		if (self->rc < 0)
			MAG_AWAIT(self->rc, mag_close, self->fd);
	}
	mag_group_cancel(&self->group);
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(0);
	MAG_END;
}

struct program {
	mag_frame frame;
	MAG_NO_ARGS(program);
	mag_http_session session;
	mag_handle serving;
	mag_addr addr;
	mag_fd listener;
	struct record records[URLS];
	char base[64];
	int64_t rc, closed;
};

static int begin(struct program *self)
{
	mag_http_options options = { .size = sizeof(options),
				     .base = self->base,
				     .limits = { .total_ns = 5 * MAG_SECOND } };
	int rc = mag_addr_parse(&self->addr, "127.0.0.1:0");

	if (rc == 0)
		rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (rc == 0)
		rc = mag_fd_local_addr(self->listener, &self->addr);
	snprintf(self->base, sizeof(self->base), "http://127.0.0.1:%d/", mag_addr_port(&self->addr));
	return rc == 0 ? mag_http_session_init(&self->session, &options) : rc;
}

static int64_t judge(const struct record *records)
{
	int good = 0, missing = 0, broken = 0;

	for (int i = 0; i < URLS; i++) {
		const struct record *r = &records[i];

		good += r->status == 200 && r->bytes == 4;
		missing += r->status == 404;
		broken += r->fault == MAG_HTTP_BROKEN;
		if (i == 3 || i == 7 || i == 8)
			printf("items/%d: status %d, %zu bytes, %s%s%s\n", i, r->status, r->bytes,
			       mag_http_fault_name(r->fault), r->why[0] ? ": " : "", r->why);
	}
	printf("%d fetched, %d not there, %d broken off\n", good, missing, broken);
	return good == 32 && missing == 4 && broken == 4 ? 0 : -EPROTO;
}

MAG_TASK(program)
{
	MAG_BEGIN(program);
	self->rc = begin(self);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_SPAWN_AS(self->rc, &self->serving, mag_background(mag_runtime_current()), serve,
		     .listener = self->listener);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_CALL(self->rc, fetch_all, .session = &self->session, .records = self->records);
	MAG_AWAIT(self->closed, mag_http_session_close, &self->session);
	mag_handle_cancel(&self->serving);
	MAG_AWAIT(self->closed, mag_handle_wait, &self->serving);
	MAG_AWAIT(self->closed, mag_close, self->listener);
	MAG_RETURN(self->rc < 0 ? self->rc : judge(self->records));
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, program);

	if (rc < 0)
		fprintf(stderr, "27_fetch_many: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
