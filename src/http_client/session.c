/* SPDX-License-Identifier: MIT */
/* session.c - making a session, and ending it, on each worker in turn. */
#include <arpa/inet.h>
#include <errno.h>
#include <magpie/options.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

#ifndef MAGI_CLIENT_AGENT
#define MAGI_CLIENT_AGENT "magpie"
#endif

static _Thread_local char last_why[MAG_HTTP_WHY_MAX];

const char *mag_http_why(void)
{
	return last_why;
}

static int say(const char *why)
{
	snprintf(last_why, sizeof(last_why), "%s", why);
	return -EINVAL;
}

static void lock_cookies(CURL *easy, curl_lock_data data, curl_lock_access access, void *arg)
{
	(void)easy;
	(void)data;
	(void)access;
	pthread_mutex_lock(&((struct magi_client_hub *)arg)->cookies);
}

static void unlock_cookies(CURL *easy, curl_lock_data data, void *arg)
{
	(void)easy;
	(void)data;
	pthread_mutex_unlock(&((struct magi_client_hub *)arg)->cookies);
}

static void destroy(struct magi_client_hub *hub)
{
	mag_http_options *o = &hub->options;
	const char *texts[] = { o->base,  o->user,    o->password,  o->bearer,  o->agent,
				o->proxy, o->ca_file, o->cert_file, o->key_file };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free((char *)(uintptr_t)texts[i]);
	for (size_t i = 0; hub->headers && i < o->headers_n; i++) {
		free((char *)(uintptr_t)hub->headers[i].name);
		free((char *)(uintptr_t)hub->headers[i].value);
	}
	free(hub->headers);
	curl_share_cleanup(hub->share);
	curl_url_cleanup(hub->base);
	pthread_mutex_destroy(&hub->cookies);
	pthread_mutex_destroy(&hub->hosts_lock);
	mag_semaphore_fini(&hub->total);
	free(hub);
	curl_global_cleanup();
}

struct magi_client_hub *magi_client_come(mag_http_session *session)
{
	struct magi_client_hub *hub;

	pthread_mutex_lock(&session->lock);
	hub = session->closing ? NULL : session->hub;
	session->coming += hub != NULL;
	pthread_mutex_unlock(&session->lock);
	return hub;
}

void magi_client_came(mag_http_session *session)
{
	pthread_mutex_lock(&session->lock);
	if (!--session->coming && session->closing)
		mag_event_set(&session->hub->settled);
	pthread_mutex_unlock(&session->lock);
}

/* 1: it is this task's to close it. 0: it is closed; -EBUSY: another one does. */
static int begin_close(mag_http_session *session)
{
	int rc = 0;

	pthread_mutex_lock(&session->lock);
	if (session->hub) {
		rc = session->closing ? -EBUSY : 1;
		session->closing = true;
		mag_event_set(&session->hub->closing);
		if (session->coming)
			mag_event_reset(&session->hub->settled); /* of a close that failed */
		else
			mag_event_set(&session->hub->settled);
	}
	pthread_mutex_unlock(&session->lock);
	return rc;
}

static void end_close(mag_http_session *session, int64_t rc)
{
	pthread_mutex_lock(&session->lock);
	session->closing = false;
	if (rc == 0)
		session->hub = NULL;
	pthread_mutex_unlock(&session->lock);
}

static int copy_text(const char **text)
{
	if (!*text)
		return 0;
	*text = strdup(*text);
	return *text ? 0 : -ENOMEM;
}

/* The options' strings are the caller's until here. */
static int copy_texts(struct magi_client_hub *hub, const mag_http_options *options)
{
	mag_http_options *o = &hub->options;
	const char **texts[] = { &o->base,  &o->user,    &o->password,  &o->bearer,  &o->agent,
				 &o->proxy, &o->ca_file, &o->cert_file, &o->key_file };
	int rc = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (rc == 0)
			rc = copy_text(texts[i]);
		else
			*texts[i] = NULL;
	}
	if (rc < 0 || !options->headers_n)
		return rc;
	hub->headers = calloc(options->headers_n, sizeof(*hub->headers));
	o->headers = hub->headers;
	for (size_t i = 0; hub->headers && i < options->headers_n; i++) {
		hub->headers[i] = options->headers[i];
		if (copy_text(&hub->headers[i].name) < 0 || copy_text(&hub->headers[i].value) < 0)
			return -ENOMEM;
	}
	return hub->headers ? 0 : -ENOMEM;
}

static void set_defaults(mag_http_options *o)
{
	o->total_max = o->total_max ? o->total_max : 1024;
	o->host_max = o->host_max ? o->host_max : 64;
	o->idle_max = o->idle_max ? o->idle_max : 128;
	o->name_ns = o->name_ns ? o->name_ns : 60 * MAG_SECOND;
	o->agent = o->agent ? o->agent : MAGI_CLIENT_AGENT;
}

static int set_base(struct magi_client_hub *hub)
{
	struct magi_client_url *url;
	int rc;

	if (!hub->options.base)
		return 0;
	rc = magi_client_url_parse(hub->options.base, NULL, &url);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		return say("the base is no URL of http or https");
	memcpy(hub->origin, url->origin, sizeof(hub->origin));
	hub->base = url->handle;
	url->handle = NULL;
	magi_client_url_drop(url);
	return 0;
}

static int set_proxy(struct magi_client_hub *hub)
{
	static const char *const schemes[] = { "http://", "https://", "socks4a://", "socks5h://" };
	const char *proxy = hub->options.proxy;
	CURLU *url;
	char *host = NULL, *port = NULL;
	struct in_addr v4;
	bool known = false;

	if (!proxy)
		return 0;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		known = known || !strncmp(proxy, schemes[i], strlen(schemes[i]));
	url = curl_url();
	if (!url)
		return -ENOMEM;
	/* 1080 is what libcurl takes where there is none, but for https */
	if (known && !curl_url_set(url, CURLUPART_URL, proxy, CURLU_NON_SUPPORT_SCHEME) &&
	    !curl_url_get(url, CURLUPART_HOST, &host, 0)) {
		snprintf(hub->proxy_host, sizeof(hub->proxy_host), "%s", host);
		hub->proxy_port = !strncmp(proxy, "https", 5) ? 443 : 1080;
		if (!curl_url_get(url, CURLUPART_PORT, &port, 0))
			hub->proxy_port = (uint16_t)atoi(port);
		hub->proxy_literal = host[0] == '[' || inet_pton(AF_INET, host, &v4) == 1;
	}
	curl_free(host);
	curl_free(port);
	curl_url_cleanup(url);
	return hub->proxy_host[0] ? 0 : say("the proxy is no URL of http, https, socks4a or socks5h");
}

static int set_cookies(struct magi_client_hub *hub)
{
	if (!hub->options.cookies)
		return 0;
	hub->share = curl_share_init();
	if (!hub->share)
		return -ENOMEM;
	curl_share_setopt(hub->share, CURLSHOPT_LOCKFUNC, lock_cookies);
	curl_share_setopt(hub->share, CURLSHOPT_UNLOCKFUNC, unlock_cookies);
	curl_share_setopt(hub->share, CURLSHOPT_USERDATA, hub);
	return curl_share_setopt(hub->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_COOKIE) ? -ENOMEM : 0;
}

static int check(const mag_http_options *o)
{
	if (!magi_client_pairs_ok(o->headers, o->headers_n))
		return say("a header whose name is no word, or with a line break in its value");
	if (o->agent && strpbrk(o->agent, "\r\n"))
		return say("a line break in the name of the agent");
	if (!magi_client_credentials_ok(o->user, o->bearer))
		return say("a line break in the credentials");
	return 0;
}

int mag_http_session_init(mag_http_session *session, const mag_http_options *options)
{
	struct magi_client_hub *hub;
	mag_http_options o;
	int rc;

	*session = (mag_http_session){ .lock = PTHREAD_MUTEX_INITIALIZER };
	last_why[0] = 0;
	if (mag_worker_index() < 0)
		return -EPERM;
	if (mag_options_take(&o, sizeof(o), options) < 0)
		return say("the options are of a newer version of this library: their size is not known");
	rc = check(&o);
	if (rc < 0)
		return rc;
	hub = calloc(1, sizeof(*hub));
	if (!hub || curl_global_init(CURL_GLOBAL_DEFAULT)) {
		free(hub);
		return -ENOMEM;
	}
	hub->rt = mag_runtime_current();
	hub->lanes_n = mag_runtime_workers(hub->rt);
	hub->options = o;
	set_defaults(&hub->options);
	pthread_mutex_init(&hub->cookies, NULL);
	mag_semaphore_init(&hub->total, hub->options.total_max, hub->options.total_max);
	pthread_mutex_init(&hub->hosts_lock, NULL);
	mag_event_init(&hub->closing);
	mag_event_init(&hub->settled);
	rc = copy_texts(hub, &o);
	if (rc == 0)
		rc = set_base(hub);
	if (rc == 0)
		rc = set_proxy(hub);
	if (rc == 0)
		rc = set_cookies(hub);
	if (rc < 0)
		destroy(hub);
	else
		session->hub = hub;
	return rc;
}

/* Ends the lane of the worker that it runs on. */
struct closing_lane {
	mag_frame frame;
	MAG_ARGS(closing_lane, struct magi_client_hub *hub;);
	struct magi_client_lane *lane;
	int64_t rc;
};

static void stop_exchanges(struct magi_client_lane *lane)
{
	lane->stopping = true;
	for (struct magi_client_exchange *x = lane->exchanges; x; x = x->next) {
		x->stop = true;
		mag_event_set(&x->call->wake);
	}
}

static void stop_libcurl(struct magi_client_lane *lane)
{
	while (lane->idle_n)
		magi_client_seat_free(lane->idle[--lane->idle_n]);
	curl_multi_cleanup(lane->multi);
	lane->multi = NULL;
	magi_client_socket_sweep(lane, true);
	mag_event_set(&lane->tick);
}

MAG_TASK(closing_lane)
{
	MAG_BEGIN(closing_lane);
	self->lane = self->hub->lanes[mag_worker_index()];
	if (!self->lane)
		MAG_RETURN(0);
	stop_exchanges(self->lane);
	for (;;) {
		mag_event_reset(&self->lane->left);
		if (!self->lane->exchanges_n && self->lane->multi)
			stop_libcurl(self->lane);
		if (!self->lane->multi && self->lane->set >= 0 && !self->lane->driven) {
			MAG_AWAIT(self->rc, mag_close, self->lane->set_fd);
			if (self->rc < 0)
				MAG_RETURN(self->rc);
			self->lane->set = -1;
		}
		if (self->lane->set < 0 && !self->lane->polled)
			break;
		MAG_AWAIT(self->rc, mag_event_wait, &self->lane->left);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
	}
	self->hub->lanes[self->lane->worker] = NULL;
	magi_client_lane_free(self->lane);
	MAG_RETURN(0);
	MAG_END;
}

struct closing {
	mag_frame frame;
	MAG_ARGS(closing, mag_http_session *session;);
	struct magi_client_hub *hub;
	mag_scope shield;
	mag_group group;
	uint32_t i;
	int64_t rc, ended, left;
};

MAG_TASK(closing)
{
	MAG_BEGIN(closing);
	self->rc = begin_close(self->session);
	if (self->rc <= 0)
		MAG_RETURN(self->rc);
	self->hub = self->session->hub;
	MAG_SHIELD(&self->shield, MAG_NEVER);
	MAG_AWAIT(self->rc, mag_event_wait, &self->hub->settled);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	self->rc = 0;
	for (self->i = 0; self->i < self->hub->lanes_n && self->rc == 0; self->i++)
		MAG_SPAWN_ON(self->rc, self->i, &self->group, closing_lane, .hub = self->hub);
	MAG_GROUP_END(self->ended, &self->group);
	MAG_SCOPE_END(self->left, &self->shield);
	for (self->i = 0; self->i < self->hub->lanes_n && self->rc == 0; self->i++) {
		if (self->hub->lanes[self->i])
			self->rc = -ENOMEM;
	}
	end_close(self->session, self->rc);
	if (self->rc == 0)
		destroy(self->hub);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_http_session_close(mag_worker *w, mag_frame *f, mag_http_session *session)
{
	MAGI_CHILD(child, closing);

	if (!child) {
		f->op.result = -ENOMEM;
		return f;
	}
	child->args_ = (struct closing_args){ .session = session };
	return magi_call(f, &child->frame, closing_step, MAGI_CLASS(sizeof(*child)));
}
