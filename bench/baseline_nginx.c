/* SPDX-License-Identifier: MIT */
/* baseline_nginx.c - nginx as `magpie serve` is measured against it: one process, at the port that the harness has found;
 * its clients try until it listens.
 *
 * Not:     the harness's listener, by the variable NGINX: in one process nginx does not bear that. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "cases.h"
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Where Debian and others put it, who do not have that in everybody's PATH. */
static const char *const places[] = { "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx",
				      "/usr/local/bin/nginx", "/usr/local/nginx/sbin/nginx" };

static const char *find(void)
{
	for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

/* What holds for both: no log, connections that stay, the same answers as of ours. */
static const char config[] = "daemon off;\n"
			     "master_process off;\n"
			     "worker_processes 1;\n"
			     "pid %1$s/pid;\n"
			     "error_log %1$s/log error;\n"
			     "events { worker_connections 8192; }\n"
			     "http {\n"
			     "	access_log off;\n"
			     "	sendfile on;\n"
			     "	keepalive_requests 1000000000;\n"
			     "	keepalive_timeout 600s;\n"
			     "	default_type text/plain;\n"
			     "	client_body_temp_path %1$s/body;\n"
			     "	proxy_temp_path %1$s/proxy;\n"
			     "	fastcgi_temp_path %1$s/fastcgi;\n"
			     "	uwsgi_temp_path %1$s/uwsgi;\n"
			     "	scgi_temp_path %1$s/scgi;\n"
			     "	server {\n"
			     "		listen 127.0.0.1:%2$d%3$s;\n"
			     "		%4$s\n"
			     "		root %1$s/root;\n"
			     "		location = / { return 200 \"" BENCH_HELLO "\"; }\n"
			     "	}\n"
			     "}\n";

static int port_of(int listen_fd)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof a;

	return getsockname(listen_fd, (struct sockaddr *)&a, &len) ? 0 : ntohs(a.sin_port);
}

static int configure(const struct bench_server *how, int listen_fd)
{
	const struct bench_site *site = how->site;
	char text[4096], tls[400] = "";
	int n;

	if (how->tls)
		snprintf(tls, sizeof tls, "ssl_protocols TLSv1.3; ssl_certificate %s; ssl_certificate_key %s;",
			 site->certificate, site->key);
	n = snprintf(text, sizeof text, config, site->dir, port_of(listen_fd), how->tls ? " ssl" : "", tls);
	return bench_site_write(site->config, text, (size_t)n);
}

/* Becomes it, and does not return if it can. */
static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	const char *nginx = find();
	int rc = configure(how, listen_fd);

	(void)stop_fd;
	if (rc < 0)
		return bench_fail(r, rc, "%s: %s", how->site->config, strerror(-rc));
	close(listen_fd);
	execl(nginx, nginx, "-p", how->site->dir, "-c", how->site->config, "-e", how->site->log, (char *)NULL);
	return bench_fail(r, -errno, "%s: %s", nginx, strerror(errno));
}

int baseline_nginx(struct bench_run *r)
{
	static struct bench_site site;
	const struct bench_server how = { .serve = serve,
					  .protocol = BENCH_HTTP,
					  .measure = BENCH_CPU,
					  .connections = (int)r->param,
					  .site = &site,
					  .file = r->param2 == BENCH_FILE,
					  .tls = r->param2 == BENCH_TLS,
					  .other = true };
	int rc;

	if (!find())
		return bench_fail(r, BENCH_SKIP, "nginx is not installed (Debian: nginx-light)");
	rc = bench_site_make(&site, how.tls, r);
	if (rc)
		return rc;
	rc = bench_server_run(&how, r);
	bench_site_remove(&site);
	return rc;
}
