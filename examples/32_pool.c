/* SPDX-License-Identifier: MIT */
/* 32_pool.c - forty queries over at most four connections, one of which breaks; then five hundred rows in batches of fifty,
 * each in one request. The "server" is a sleep. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <stdlib.h>

enum { QUERIES = 40, CONNECTIONS = 4, ROWS = 500, PER_BATCH = 50 };

struct server {
	mag_pool pool;
	mag_mutex mutex; /* guards: */
	int connected, most, requests, rows;
};

struct conn {
	int requests;
};

/* Counts; the tasks run on several workers. */
struct counted {
	mag_frame frame;
	MAG_ARGS(counted, struct server *server; int connected; int requests; int rows;);
	int64_t rc;
};

MAG_TASK(counted)
{
	MAG_BEGIN(counted);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->server->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	self->server->connected += self->connected;
	self->server->requests += self->requests;
	self->server->rows += self->rows;
	if (self->server->connected > self->server->most)
		self->server->most = self->server->connected;
	mag_mutex_unlock(&self->server->mutex);
	MAG_RETURN(0);
	MAG_END;
}

/* What the pool calls. */

struct conn_create {
	mag_frame frame;
	MAG_ARGS(conn_create, struct server *server; struct conn **item;);
	int64_t rc;
};

MAG_TASK(conn_create)
{
	MAG_BEGIN(conn_create);
	MAG_AWAIT(self->rc, mag_sleep, 3 * MAG_MILLISECOND); /* connect, greet */
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* who wanted it is told */
	*self->item = calloc(1, sizeof(**self->item));
	if (!*self->item)
		MAG_RETURN(-ENOMEM);
	MAG_CALL(self->rc, counted, .server = self->server, .connected = 1);
	if (self->rc < 0)
		free(*self->item);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct conn_destroy {
	mag_frame frame;
	MAG_ARGS(conn_destroy, struct server *server; struct conn *item;);
	int64_t rc;
};

MAG_TASK(conn_destroy)
{
	MAG_BEGIN(conn_destroy);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND); /* say good-bye; nobody cuts it short */
	free(self->item);
	MAG_CALL(self->rc, counted, .server = self->server, .connected = -1);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* One request on one connection, which breaks when it has had too many. */
struct request {
	mag_frame frame;
	MAG_ARGS(request, struct server *server; struct conn *conn; int rows;);
	int64_t rc;
};

MAG_TASK(request)
{
	MAG_BEGIN(request);
	if (++self->conn->requests > 12)
		MAG_RETURN(-EPIPE);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	if (self->rc == 0)
		MAG_CALL(self->rc, counted, .server = self->server, .requests = 1, .rows = self->rows);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Borrows one for a request, and says what has become of it; tries again with another when it was broken. */
struct query {
	mag_frame frame;
	MAG_ARGS(query, struct server *server; int rows;);
	mag_using use;
	mag_pool_loan loan;
	int64_t rc;
};

MAG_TASK(query)
{
	MAG_BEGIN(query);
	do {
		MAG_USING_BEGIN(self->rc, &self->use, mag_pool_loan, &self->loan, .pool = &self->server->pool,
				.until = mag_deadline_in(5 * MAG_SECOND));
		if (self->rc == 0)
			MAG_CALL(self->rc, request, .server = self->server, .conn = self->loan.item,
				 .rows = self->rows);
		self->loan.broken = self->rc == -EPIPE;
		MAG_USING_END(self->rc, &self->use, self->rc);
	} while (self->rc == -EPIPE);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Rows as they come, in batches: a tenth of the requests, or less. */
struct load {
	mag_frame frame;
	MAG_ARGS(load, struct server *server;);
	mag_stream_array rows;
	mag_stream_batch batches;
	mag_batch batch;
	int source[ROWS], room[PER_BATCH];
	int64_t rc, closed;
};

MAG_TASK(load)
{
	MAG_BEGIN(load);
	for (int i = 0; i < ROWS; i++)
		self->source[i] = i;
	mag_stream_array_init(&self->rows, self->source, ROWS, sizeof(self->source[0]));
	mag_stream_batch_init(&self->batches, &self->rows.stream, self->room, PER_BATCH);
	for (;;) {
		MAG_AWAIT(self->rc, mag_stream_next, &self->batches.stream, &self->batch);
		if (self->rc <= 0)
			break;
		MAG_CALL(self->rc, query, .server = self->server, .rows = (int)self->batch.count);
		if (self->rc < 0)
			break;
	}
	MAG_AWAIT(self->closed, mag_stream_close, &self->batches.stream);
	MAG_RETURN(self->rc < 0 ? self->rc : self->closed);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_ARGS(all, struct server *server;);
	mag_group group;
	mag_pool_counts counts;
	int64_t rc, closed;
	int i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < QUERIES; self->i++)
		MAG_SPAWN(self->rc, &self->group, query, .server = self->server);
	MAG_GROUP_END(self->rc, &self->group);
	if (self->rc == 0)
		MAG_CALL(self->rc, load, .server = self->server);
	MAG_AWAIT(self->closed, mag_pool_close, &self->server->pool);
	self->counts.size = sizeof(self->counts);
	mag_pool_stats(&self->server->pool, &self->counts);
	printf("%d requests and %d rows over %d connections at most; %llu made, %llu destroyed\n", self->server->requests,
	       self->server->rows, self->server->most, (unsigned long long)self->counts.made,
	       (unsigned long long)self->counts.dropped);
	MAG_RETURN(self->rc < 0 ? self->rc : self->closed);
	MAG_END;
}

int main(void)
{
	static struct server server = { .mutex = MAG_MUTEX_INIT };
	const mag_pool_options options = { .size = sizeof(options), .max = CONNECTIONS, .ctx = &server,
					   .create = MAG_POOL_FN(conn_create), .destroy = MAG_POOL_FN(conn_destroy) };
	int64_t rc = mag_pool_init(&server.pool, &options);

	if (rc == 0)
		rc = mag_run(NULL, all, .server = &server);
	if (rc < 0)
		fprintf(stderr, "32_pool: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0 || server.requests != QUERIES + ROWS / PER_BATCH || server.rows != ROWS ||
	       server.most > CONNECTIONS || server.connected || mag_pool_fini(&server.pool) < 0;
}
