/* SPDX-License-Identifier: MIT */
/* fault.c - what went wrong, by its kind. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "http_client/exchange.h"

const char *mag_http_fault_name(mag_http_fault fault)
{
	static const char *const names[] = {
		[MAG_HTTP_OK] = "ok",
		[MAG_HTTP_URL] = "url",
		[MAG_HTTP_DNS] = "dns",
		[MAG_HTTP_CONNECT] = "connect",
		[MAG_HTTP_TLS] = "tls",
		[MAG_HTTP_TIMEOUT] = "timeout",
		[MAG_HTTP_CANCELLED] = "cancelled",
		[MAG_HTTP_PROTOCOL] = "protocol",
		[MAG_HTTP_BROKEN] = "broken",
		[MAG_HTTP_TOO_LARGE] = "too_large",
		[MAG_HTTP_REDIRECT] = "redirect",
		[MAG_HTTP_UPLOAD] = "upload",
		[MAG_HTTP_STATUS] = "status",
		[MAG_HTTP_FILE] = "file",
		[MAG_HTTP_CLOSED] = "closed",
		[MAG_HTTP_MEMORY] = "memory",
		[MAG_HTTP_OTHER] = "other",
	};

	return (unsigned)fault < sizeof(names) / sizeof(names[0]) ? names[fault] : "other";
}

int64_t magi_client_fail(struct magi_client_call *call, mag_http_fault fault, int64_t rc, const char *why)
{
	call->fault = fault;
	snprintf(call->why, sizeof(call->why), "%s", why ? why : mag_strerror(rc));
	return rc;
}

void magi_client_tell(struct magi_client_call *call)
{
	mag_http_response *r = call->response;

	r->fault = call->fault;
	r->timing = call->timing;
	r->connections = call->connections;
	memcpy(r->why, call->why, strlen(call->why) + 1);
}

static const struct {
	CURLcode code;
	mag_http_fault fault;
	int rc;
} kinds[] = {
	{ CURLE_URL_MALFORMAT, MAG_HTTP_URL, -EINVAL },
	{ CURLE_COULDNT_RESOLVE_HOST, MAG_HTTP_DNS, MAG_ERESOLVE },
	{ CURLE_COULDNT_RESOLVE_PROXY, MAG_HTTP_DNS, MAG_ERESOLVE },
	{ CURLE_COULDNT_CONNECT, MAG_HTTP_CONNECT, -ECONNREFUSED },
	{ CURLE_PROXY, MAG_HTTP_CONNECT, -ECONNREFUSED },
	{ CURLE_SSL_CONNECT_ERROR, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_SSL_CERTPROBLEM, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_SSL_CIPHER, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_PEER_FAILED_VERIFICATION, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_SSL_CACERT_BADFILE, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_SSL_ISSUER_ERROR, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_SSL_PINNEDPUBKEYNOTMATCH, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_SSL_ENGINE_INITFAILED, MAG_HTTP_TLS, -EPROTO },
	{ CURLE_OPERATION_TIMEDOUT, MAG_HTTP_TIMEOUT, MAG_ETIMEDOUT },
	{ CURLE_UNSUPPORTED_PROTOCOL, MAG_HTTP_PROTOCOL, -EBADMSG }, /* what has come looks like HTTP/0.9 */
	{ CURLE_WEIRD_SERVER_REPLY, MAG_HTTP_PROTOCOL, -EBADMSG },
	{ CURLE_BAD_CONTENT_ENCODING, MAG_HTTP_PROTOCOL, -EBADMSG },
	{ CURLE_HTTP2, MAG_HTTP_PROTOCOL, -EBADMSG },
	{ CURLE_HTTP2_STREAM, MAG_HTTP_PROTOCOL, -EBADMSG },
	{ CURLE_GOT_NOTHING, MAG_HTTP_BROKEN, MAG_EEOF },
	{ CURLE_PARTIAL_FILE, MAG_HTTP_BROKEN, MAG_EEOF },
	{ CURLE_SEND_ERROR, MAG_HTTP_BROKEN, -ECONNRESET },
	{ CURLE_RECV_ERROR, MAG_HTTP_BROKEN, -ECONNRESET },
	{ CURLE_SEND_FAIL_REWIND, MAG_HTTP_BROKEN, -ECONNRESET }, /* a kept connection was gone, the upload begun */
	{ CURLE_FILESIZE_EXCEEDED, MAG_HTTP_TOO_LARGE, MAG_ETOOLONG },
	{ CURLE_OUT_OF_MEMORY, MAG_HTTP_MEMORY, -ENOMEM },
};

int64_t magi_client_fail_curl(struct magi_client_exchange *x)
{
	const char *why = x->seat->error[0] ? x->seat->error : curl_easy_strerror(x->code);
	long answer = 0;

	if (x->rc < 0) /* a callback knows better: libcurl only says that it broke off */
		return magi_client_fail(x->call, x->fault, x->rc,
					x->rc == MAG_ETOOLONG ? "the answer is larger than its limit"
					: x->fault == MAG_HTTP_UPLOAD && x->rc == MAG_EEOF
						? "the upload is shorter than its length"
						: NULL);
	if (x->code == CURLE_RECV_ERROR && !curl_easy_getinfo(x->seat->easy, CURLINFO_HTTP_CONNECTCODE, &answer) &&
	    answer >= 400)
		return magi_client_fail(x->call, MAG_HTTP_CONNECT, -ECONNREFUSED, why); /* the proxy has refused */
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int64_t rc = kinds[i].rc;
		long system = 0;

		if (kinds[i].code != x->code)
			continue;
		if (x->code == CURLE_COULDNT_CONNECT && !curl_easy_getinfo(x->seat->easy, CURLINFO_OS_ERRNO, &system) &&
		    system > 0)
			rc = -system;
		return magi_client_fail(x->call, kinds[i].fault, rc, why);
	}
	return magi_client_fail(x->call, MAG_HTTP_OTHER, -EIO, why);
}
