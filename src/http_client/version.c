/* SPDX-License-Identifier: MIT */
/* version.c - see version.h. */
#include "http_client/version.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

static const char attribute[] = "user.magpie.version";

/* A weak tag does not say that each byte is the same: RFC 9110, 13.1.5. */
void magi_client_version_of(struct magi_client_version *version, const mag_http_response *response)
{
	const char *tag = mag_http_response_header(response, "ETag");
	const char *time = mag_http_response_header(response, "Last-Modified");
	const char *text = tag && tag[0] == '"' ? tag : !tag && time ? time : "";

	snprintf(version->text, sizeof(version->text), "%s", strlen(text) < sizeof(version->text) ? text : "");
}

bool magi_client_version_differs(const struct magi_client_version *version, const mag_http_response *response)
{
	const char *said = mag_http_response_header(response, version->text[0] == '"' ? "ETag" : "Last-Modified");

	return version->text[0] && said && strcmp(version->text, said) != 0;
}

int64_t magi_client_version_read(void *arg)
{
	struct magi_client_version *version = arg;
	ssize_t n = fgetxattr(version->raw, attribute, version->text, sizeof(version->text) - 1);

	version->text[n > 0 ? n : 0] = 0;
	if (strpbrk(version->text, "\r\n")) /* somebody else's: it would begin a line of the request */
		version->text[0] = 0;
	return 0;
}

int64_t magi_client_version_write(void *arg)
{
	const struct magi_client_version *version = arg;

	if (version->text[0])
		fsetxattr(version->raw, attribute, version->text, strlen(version->text), 0);
	else
		fremovexattr(version->raw, attribute);
	return 0;
}
