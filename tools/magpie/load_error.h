/* SPDX-License-Identifier: MIT */
/* load_error.h - why a request had no answer: the kinds that the table of errors tells apart. */
#ifndef MAGPIE_TOOLS_LOAD_ERROR_H
#define MAGPIE_TOOLS_LOAD_ERROR_H

#include <stdint.h>

enum load_error {
	LOAD_REFUSED,         /* nobody listens there */
	LOAD_CONNECT_TIMEOUT, /* no connection within --timeout */
	LOAD_CONNECT,         /* no connection for another reason: no route, … */
	LOAD_LOCAL,           /* this host is out of files, ports or memory: not the server's fault */
	LOAD_TLS,             /* handshake or record */
	LOAD_TIMEOUT,         /* connected, but no whole answer within --timeout */
	LOAD_RESET,           /* the server reset the connection */
	LOAD_CLOSED,          /* it closed the connection before the answer was whole */
	LOAD_MALFORMED,       /* the answer is not HTTP/1.1 */
	LOAD_TOO_LARGE,       /* the answer is beyond the limits of load_reader.h */
	LOAD_WRITE,           /* sending failed otherwise */
	LOAD_READ,            /* receiving failed otherwise */
	LOAD_ERRORS
};

enum load_phase { LOAD_CONNECTING, LOAD_SENDING, LOAD_RECEIVING };

/* What an error of an operation (0: the end of the stream) counts as. */
enum load_error load_error_of(enum load_phase phase, int64_t rc);

/* "connect_refused": for machines.  "connection refused": for people. */
const char *load_error_name(enum load_error error);
const char *load_error_words(enum load_error error);

#endif
