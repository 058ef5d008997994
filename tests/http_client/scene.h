/* SPDX-License-Identifier: MIT */
/* scene.h - what a test of the client is: an async function with a server (peer.h) and a session of its own. */
#ifndef MAGPIE_TEST_HTTP_SCENE_H
#define MAGPIE_TEST_HTTP_SCENE_H

#include "http_client/peer.h"

/* A scene: an async function with a peer that serves, and a session whose base is that peer. */
#define SCENE(name, ...)                    \
	struct name {                       \
		mag_frame frame;            \
		MAG_NO_ARGS(name);          \
		struct peer peer;           \
		mag_http_session session;   \
		mag_http_options options;   \
		mag_http_request request;   \
		mag_http_response response; \
		char base[64], text[512];   \
		int64_t rc;                 \
		int waited;                 \
		__VA_ARGS__                 \
	};                                  \
	MAG_TASK(name)

/* Opens it; the options of the session are given by name. */
#define SCENE_BEGIN(name, ...)                                                                                   \
	MAG_BEGIN(name);                                                                                         \
	memset(&self->response, 0, sizeof(self->response));                                                      \
	self->options = (mag_http_options){ .size = sizeof(mag_http_options), __VA_ARGS__ };                     \
	MAG_CALL(self->rc, peer_open, .peer = &self->peer, .session = &self->session, .options = &self->options, \
		 .base = self->base);                                                                            \
	CHECK_EQ(self->rc, 0)

#define SCENE_END                                                                       \
	mag_http_response_fini(&self->response);                                        \
	MAG_CALL(self->rc, peer_close, .peer = &self->peer, .session = &self->session); \
	MAG_RETURN(self->rc);                                                           \
	MAG_END

#define GET(path) MAG_AWAIT(self->rc, mag_http_get, &self->session, path, &self->response)
#define REQUEST(...)                                                                                    \
	do {                                                                                            \
		self->request = MAG_HTTP_REQUEST(__VA_ARGS__);                                          \
		MAG_AWAIT(self->rc, mag_http_perform, &self->session, &self->request, &self->response); \
	} while (0)
#define BODY_IS(text) CHECK(self->response.body && !strcmp(self->response.body, text))
#define FAULT_IS(code, kind)                          \
	do {                                          \
		CHECK_EQ(self->rc, code);             \
		CHECK_EQ(self->response.fault, kind); \
		CHECK(self->response.why[0]);         \
	} while (0)

/* On one worker, of each backend. */
#define PLAY_ON(name_, workers_, ...)                                                                      \
	do {                                                                                               \
		int64_t play_rc = LEDGER_RUN((&(mag_runtime_options){ .size = sizeof(mag_runtime_options), \
								      .workers = (workers_),               \
								      .spin_us = UINT32_MAX,               \
								      .backend = (name_) }),               \
					     __VA_ARGS__);                                                 \
		if (play_rc == MAG_EBACKEND)                                                               \
			cr_skip_test("%s", mag_runtime_why());                                             \
		cr_assert(play_rc == 0, "%s: %lld %s", (name_), (long long)play_rc, mag_errname(play_rc)); \
	} while (0)
#define PLAY(...)                                 \
	do {                                      \
		PLAY_ON("epoll", 1, __VA_ARGS__); \
		PLAY_ON("uring", 1, __VA_ARGS__); \
	} while (0)

#endif
