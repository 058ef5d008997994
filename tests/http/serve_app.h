/* SPDX-License-Identifier: MIT */
/* serve_app.h - a small app on the server, with a handler of each kind; what is asked of it, and what it must answer. */
#ifndef MAGPIE_TESTS_SERVE_APP_H
#define MAGPIE_TESTS_SERVE_APP_H

#include <magpie/http_server.h>

enum { APP_HEARD = 70000, APP_LARGE = 50000 };

struct app_case {
	const char *name;
	const char *request; /* the last of them ends the connection */
	const char *answer;  /* without Date, 100 Continue and what the middleware adds; NULL: 50,000 bytes of body */
	bool cut;            /* it ends in the middle, by a reset */
};

extern const struct app_case app_cases[];
extern const size_t app_case_count;

/* The app's routes, and middleware where it is wanted. */
int app_routes(mag_http_server *server, bool middleware);

/* Whether this is what the case must be answered by; takes out what does not count. */
bool app_is_answer(const struct app_case *c, char *heard, size_t n);

#endif
