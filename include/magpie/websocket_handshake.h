/* SPDX-License-Identifier: MIT */
/* websocket_handshake.h - what a WebSocket's handshake is made of, for HTTP servers and clients: RFC 6455, section 4. */
#ifndef MAGPIE_WEBSOCKET_HANDSHAKE_H
#define MAGPIE_WEBSOCKET_HANDSHAKE_H

#include <magpie/impl/api.h>

MAGI_C_BEGIN

enum {
	MAG_WEBSOCKET_KEY_LEN = 24,
	MAG_WEBSOCKET_ACCEPT_LEN = 28,
	MAG_WEBSOCKET_PROTOCOL_MAX = 63,
	MAG_WEBSOCKET_HEAD_MAX = 8192 /* bytes of a request or an answer */
};

/* The fields of a request; NULL: it has none. One that may come several times is joined by commas. */
typedef struct mag_websocket_request {
	const char *method;     /* "GET" */
	const char *connection; /* has "upgrade" among others */
	const char *upgrade;    /* has "websocket" */
	const char *version;    /* "13" */
	const char *key;        /* 16 bytes in base 64 */
	const char *protocol;   /* what the client would speak */
	const char *host;       /* "example.org:8080" */
	const char *origin;     /* "https://example.org": the site whose page asks, in a browser */
} mag_websocket_request;

/* What is answered. */
typedef struct mag_websocket_answer {
	char accept[MAG_WEBSOCKET_ACCEPT_LEN + 1];       /* Sec-WebSocket-Accept */
	char protocol[MAG_WEBSOCKET_PROTOCOL_MAX + 1];   /* Sec-WebSocket-Protocol; "": the field is left out */
	const char *why;                                 /* what is wrong, for the answer's text; "" */
} mag_websocket_answer;

/* Whether a request is one for a WebSocket, and what the answer has. protocols: what the server speaks, with commas between, the
 * best first; or NULL.
 *
 * A browser lets any page open a WebSocket to anywhere, with its user's cookies, and tells the server by Origin whose page it
 * is: a server that does not look lends each other site its users' sessions. origins: which may, besides those of the host that
 * is asked, with commas between: "https://example.org,https://app.example.org:8443"; "*": any; NULL: no other. Who sends no
 * Origin is no browser.
 *
 * Threads:  any
 * Returns:  101; 400; 403: another site's page asks; 426: answer with "Sec-WebSocket-Version: 13"
 * Since:    0.2 */
MAG_API int mag_websocket_upgrade(const mag_websocket_request *request, const char *protocols, const char *origins,
				  mag_websocket_answer *answer);

/* What the answer to a key is.
 *
 * Threads:  any
 * Returns:  0, -EINVAL: it is not 16 bytes in base 64
 * Since:    0.2 */
MAG_API int mag_websocket_accept_key(const char *key, char accept[MAG_WEBSOCKET_ACCEPT_LEN + 1]);

/* A new key, for a client.
 *
 * Threads:  any
 * Since:    0.2 */
MAG_API void mag_websocket_make_key(char key[MAG_WEBSOCKET_KEY_LEN + 1]);

MAGI_C_END

#endif
