/* SPDX-License-Identifier: MIT */
/* test_http_conformance.c - the requests of conformance.txt: each in one piece, byte by byte, and cut at each place. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "story.h"

enum { LINE = 4096, CASES_LEAST = 150 };

static int hex(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Takes the escapes out of a text: its length. */
static size_t unescape(char *s)
{
	char *out = s;

	for (const char *in = s; *in; in++) {
		if (*in != '\\') {
			*out++ = *in;
			continue;
		}
		switch (*++in) {
		case 'r':
			*out++ = '\r';
			break;
		case 'n':
			*out++ = '\n';
			break;
		case 't':
			*out++ = '\t';
			break;
		case 'x':
			*out++ = (char)(hex(in[1]) << 4 | hex(in[2]));
			in += 2;
			break;
		default:
			*out++ = *in;
		}
	}
	return (size_t)(out - s);
}

/* "name | bytes | story" or "name | bytes | story | why h11 says something else"; "== chapter"; "# comment" */
static bool check_line(char *line, const char *chapter)
{
	char name[LINE + 200], *fields[4] = { strtok(line, "|\n") }, *stream;
	size_t length;

	for (int i = 1; i < 4; i++)
		fields[i] = strtok(NULL, "|\n");
	cr_assert(fields[2], "%s: %s", chapter, line);
	snprintf(name, sizeof name, "%s: %s", chapter, fields[0]);
	stream = fields[1] + 1; /* a blank stands on both sides */
	stream[strlen(stream) - 1] = '\0';
	fields[2]++;
	fields[2][strcspn(fields[2], "\t") - (fields[3] ? 1 : 0)] = '\0';
	length = unescape(stream);
	if (getenv("MAGPIE_STORIES")) {
		char story[STORY_MAX];

		story_tell(story, stream, length, NULL, 0);
		fprintf(stderr, "%s\n", story);
		return true;
	}
	story_check(name, stream, length, fields[2]);
	return true;
}

Test(http_conformance, requests_are_taken_or_refused_as_the_standards_say, .timeout = 120)
{
	FILE *file = fopen(CONFORMANCE, "r");
	char line[LINE], chapter[200] = "";
	int cases = 0;

	cr_assert(file, CONFORMANCE);
	while (fgets(line, sizeof line, file)) {
		if (line[0] == '=')
			snprintf(chapter, sizeof chapter, "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
		else if (line[0] != '#' && line[0] != '\n')
			cases += check_line(line, chapter);
	}
	fclose(file);
	cr_assert_geq(cases, CASES_LEAST);
}
