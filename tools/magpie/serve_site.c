/* SPDX-License-Identifier: MIT */
/* serve_site.c - what `magpie serve` serves. */
#include "serve_site.h"

#include <errno.h>
#include <fcntl.h>
#include <magpie/file.h>
#include <magpie/time.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOG_LINE_MAX = 16384 };

static void ready(void *ctx, const mag_addr *at)
{
	struct serve_site *site = ctx;

	if (site->ready)
		site->ready(site, at);
}

static void trouble(void *ctx, const char *what, int64_t error)
{
	const struct serve_site *site = ctx;

	if (site->trouble)
		site->trouble(what, error);
}

/* A line goes in one write, so that those of several workers do not mix. */
static void log_access(void *ctx, const mag_http_access *access)
{
	const struct serve_site *site = ctx;
	char line[LOG_LINE_MAX];
	size_t n = mag_http_access_format(access, line, sizeof line);

	if (write(site->log, line, n) < 0)
		trouble(ctx, "access log", -errno);
}

static int64_t hello(mag_http_exchange *http, void *user)
{
	(void)user;
	return mag_http_reply(http, 200, "text/plain", SERVE_HELLO, sizeof SERVE_HELLO - 1);
}

/* Middleware: something goes wrong at times, as it does with others. */
struct serve_fail {
	mag_frame frame;
	MAG_ARGS(serve_fail, mag_http_exchange *http; struct serve_site *site;);
	int64_t rc;
};

static MAG_TASK(serve_fail)
{
	MAG_BEGIN(serve_fail);
	if (random() % self->site->fail) {
		MAG_AWAIT(self->rc, mag_http_next, self->http);
		MAG_RETURN(self->rc);
	}
	if (random() % 2)
		MAG_RETURN(mag_http_reply_status(self->http, 503));
	self->rc = mag_http_reply_begin(self->http, 200, "text/plain", 100);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_http_write, self->http, "half", 4);
	MAG_RETURN(-EIO);
	MAG_END;
}

static int add_routes(struct serve_site *site)
{
	int rc = 0;

	if (site->fail)
		rc = mag_http_server_use(site->server, MAG_HTTP_TASK(serve_fail), site);
	if (rc < 0)
		return rc;
	if (site->metrics)
		rc = mag_http_server_route(site->server, "GET", site->metrics, MAG_HTTP_PLAIN(mag_http_metrics_text),
					   site->server);
	if (rc < 0)
		return rc;
	if (site->root)
		return mag_http_server_route(site->server, "GET", "/{path...}", MAG_HTTP_TASK(mag_http_files),
					     &site->files);
	return mag_http_server_route(site->server, "GET", "/{path...}", MAG_HTTP_PLAIN(hello), NULL);
}

static int prepare(struct serve_site *site)
{
	const uint64_t hurry = site->hurry ? site->hurry : 1;
	const mag_http_server_options o = {
		.size = sizeof o,
		.connections = site->connections,
		.connections_each = site->each,
		.head_ns = 10 * MAG_SECOND / hurry,
		.idle_ns = 60 * MAG_SECOND / hurry,
		.body_ns = 10 * MAG_SECOND / hurry,
		.write_ns = 30 * MAG_SECOND / hurry,
		.request_ns = 60 * MAG_SECOND / hurry,
		.linger_ns = 2 * MAG_SECOND / hurry,
		.drain_ns = SERVE_STOP_S * MAG_SECOND,
		.rate = (uint32_t)(1024 * hurry),
		.compress = site->compress,
		.no_http2 = site->no_http2,
		.tls = site->tls.cert ? &site->tls.context : NULL,
		.shutdown = site->down,
		.ready = ready,
		.trouble = trouble,
		.access = site->access_log ? log_access : NULL,
		.ctx = site,
	};
	int rc;

	if (site->access_log) {
		site->failed = "open the access log";
		site->log = open(site->access_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (site->log < 0)
			return -errno;
	}
	if (site->tls.cert) {
		site->failed = "use the certificate";
		site->tls.alpn = site->no_http2 ? "http/1.1" : mag_http_server_alpn();
		rc = serve_tls_begin(&site->tls, &site->why);
		if (rc < 0)
			return rc;
	}
	site->failed = "start";
	rc = mag_http_server_create(&o, &site->server);
	if (rc == 0)
		rc = add_routes(site);
	if (rc == 0)
		rc = site->listener >= 0 ? mag_http_server_listen_fd(site->server, site->listener)
					 : mag_http_server_listen(site->server, &site->addr);
	return rc;
}

MAG_TASK(serve_run)
{
	MAG_BEGIN(serve_run);
	self->site->server = NULL;
	self->site->log = -1;
	self->site->files = (struct mag_http_directory){ .root = MAG_FD_NONE, .listing = self->site->listing };
	self->rc = prepare(self->site);
	if (self->rc == 0 && self->site->root) {
		self->site->failed = "open the root";
		MAG_AWAIT(self->rc, mag_open, self->site->root, O_RDONLY | O_DIRECTORY, 0, &self->site->files.root);
	}
	if (self->rc == 0) {
		MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
		if (self->site->tls.cert)
			MAG_SPAWN(self->waste, &self->group, serve_tls_keeper, .tls = &self->site->tls);
		MAG_CALL(self->rc, mag_http_serve, .server = self->site->server);
		self->site->failed = mag_http_server_failed(self->site->server);
		mag_group_cancel(&self->group);
		MAG_GROUP_END(self->waste, &self->group);
	}
	mag_http_server_destroy(self->site->server);
	if (self->site->tls.cert)
		serve_tls_end(&self->site->tls);
	if (self->site->files.root.generation)
		MAG_AWAIT(self->waste, mag_close, self->site->files.root);
	if (self->site->log >= 0)
		close(self->site->log);
	MAG_RETURN(self->rc);
	MAG_END;
}
