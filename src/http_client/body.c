/* SPDX-License-Identifier: MIT */
/* body.c - what a request sends: bytes, a form, parts, or an upload as it comes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http_client/exchange.h"

bool magi_client_has_body(const struct magi_client_exchange *x)
{
	const mag_http_request *q = x->call->request;

	return !x->bodyless && (q->body || q->json || q->form || q->parts || q->upload);
}

static int set_parts(struct magi_client_exchange *x)
{
	const mag_http_request *q = x->call->request;

	x->mime = curl_mime_init(x->seat->easy);
	if (!x->mime)
		return -ENOMEM;
	for (size_t i = 0; i < q->parts_n; i++) {
		const mag_http_part *p = &q->parts[i];
		curl_mimepart *part = curl_mime_addpart(x->mime);

		if (!part || curl_mime_name(part, p->name) || curl_mime_data(part, p->data ? p->data : "", p->length) ||
		    (p->filename && curl_mime_filename(part, p->filename)) ||
		    (p->type && curl_mime_type(part, p->type)))
			return -ENOMEM;
	}
	MAGI_CLIENT_SET(x->seat, CURLOPT_MIMEPOST, x->mime);
	return 0;
}

static size_t encode(char *to, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t n = 0;

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		bool plain = (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			     strchr("-._*", *c);

		if (plain || *c == ' ') {
			to[n++] = plain ? (char)*c : '+';
			continue;
		}
		to[n++] = '%';
		to[n++] = hex[*c >> 4];
		to[n++] = hex[*c & 15];
	}
	return n;
}

/* name=value&… as the forms of web pages are sent. */
static char *form_text(const mag_http_request *q)
{
	size_t room = 1, n = 0;
	char *text;

	for (size_t i = 0; i < q->form_n; i++)
		room += 3 * (strlen(q->form[i].name) + strlen(q->form[i].value)) + 2;
	text = malloc(room);
	for (size_t i = 0; text && i < q->form_n; i++) {
		if (i)
			text[n++] = '&';
		n += encode(text + n, q->form[i].name);
		text[n++] = '=';
		n += encode(text + n, q->form[i].value);
	}
	if (text)
		text[n] = 0;
	return text;
}

static void set_bytes(struct magi_client_seat *seat, const void *data, size_t length)
{
	MAGI_CLIENT_SET(seat, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
	MAGI_CLIENT_SET(seat, CURLOPT_POSTFIELDS, data);
}

int magi_client_set_body(struct magi_client_exchange *x)
{
	const mag_http_request *q = x->call->request;

	if (q->json) {
		set_bytes(x->seat, q->json, strlen(q->json));
	} else if (q->form) {
		x->form = form_text(q);
		if (!x->form)
			return -ENOMEM;
		set_bytes(x->seat, x->form, strlen(x->form));
	} else if (q->parts) {
		return set_parts(x);
	} else if (q->upload) {
		MAGI_CLIENT_SET(x->seat, CURLOPT_READFUNCTION, magi_client_on_read);
		MAGI_CLIENT_SET(x->seat, CURLOPT_READDATA, x->seat);
		MAGI_CLIENT_SET(x->seat, CURLOPT_UPLOAD, 1L);
		MAGI_CLIENT_SET(x->seat, CURLOPT_INFILESIZE_LARGE,
				q->upload_length ? (curl_off_t)q->upload_length : -1);
	} else {
		set_bytes(x->seat, q->body ? q->body : "", q->body ? q->body_length : 0);
	}
	return 0;
}
