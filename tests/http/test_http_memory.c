/* SPDX-License-Identifier: MIT */
/* test_http_memory.c - the server's answers when memory is out: the parts of a connection that do no I/O, whose malloc
 * is ours. Awaits are played: what they would have moved is put there or taken away.
 *
 * Tried: no answer where there is no buffer for a file, requests that are not answered once what is gathered has been
 * sent, a target that is left in the worker's spill. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "serve_conn.h"

static int granted = -1; /* how many allocations are still granted; negative: all */

static bool grant(void)
{
	if (granted == 0)
		return false;
	granted -= granted > 0;
	return true;
}

static int opened = -1; /* the file that is said to have been opened */

#define malloc(size) (grant() ? (malloc)(size) : NULL)
#define calloc(n, size) (grant() ? (calloc)(n, size) : NULL)
#define mag_fd_raw(fd) ((void)(fd), opened)

#include "http_path.c"
#include "http_response.c"
#include "http_types.c"
#include "serve_answer.c"
#include "serve_buffer.c"
#include "serve_file.c"
#include "serve_gate.c"

#define HELLO "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define GET "GET /a HTTP/1.1\r\nHost: a\r\n\r\n"

enum { MANY = 40 };

static struct serve_here here;

uint64_t serve_clock(void)
{
	return 1;
}

bool serve_has_more(const struct serve_conn *c)
{
	(void)c;
	return false; /* the socket is played, too */
}

struct serve_here *serve_here(struct serve_site *site, uint64_t now)
{
	(void)site;
	(void)now;
	return &here;
}

/* A connection at its start, to a server with files or without. */
static struct serve_conn *begin(struct serve_site *site, const char *root)
{
	struct serve_conn *c = calloc(1, sizeof(*c));

	cr_assert(c);
	*site = (struct serve_site){ .root = root };
	http_date_set(&here.date, 1);
	here.hello_len = sizeof(HELLO) - 1;
	memcpy(here.hello, HELLO, here.hello_len);
	c->site = site;
	c->out = c->gather;
	c->out_size = sizeof(c->gather);
	c->input = SERVE_WAIT_IDLE;
	c->file = MAG_FD_NONE;
	http_parser_init(&c->parser, here.spill, HTTP_TARGET_MAX);
	return c;
}

static void end(struct serve_conn *c)
{
	granted = -1;
	serve_emptied(c);
	serve_shelf_clear(&here.shelf);
	free(c->spill);
	free(c);
}

static void receive(struct serve_conn *c, const char *text)
{
	c->in_at = 0;
	c->in_len = (uint32_t)strlen(text);
	cr_assert_leq(c->in_len, sizeof(c->in));
	memcpy(c->in, text, c->in_len);
	serve_answer(c);
}

/* Whether what is gathered begins like this; then it is sent. */
static bool sends(struct serve_conn *c, const char *text)
{
	bool like = c->step == SERVE_SEND && c->out_len > strlen(text) && !memcmp(c->out, text, strlen(text));

	serve_emptied(c);
	return like;
}

/* Sends what is gathered over and over, as long as requests are left. Returns: how many answers of this kind went */
static int send_all(struct serve_conn *c, const char *text)
{
	int answers = 0;

	while (c->step == SERVE_SEND) {
		for (const char *at = c->out; at; at++, answers++) {
			at = memmem(at, (size_t)(c->out + c->out_len - at), text, strlen(text));
			if (!at)
				break;
		}
		serve_emptied(c);
		c->step = SERVE_RECV;
		if (c->in_at < c->in_len)
			serve_answer(c);
	}
	return answers;
}

static void receive_many(struct serve_conn *c)
{
	char text[MANY * sizeof(GET)] = "";

	for (int i = 0; i < MANY; i++)
		strcat(text, GET);
	receive(c, text);
}

Test(http_memory, a_file_without_a_buffer_is_503_and_the_connection_goes_on, .timeout = 10)
{
	struct serve_site site;
	struct serve_conn *c = begin(&site, "/");

	granted = 0;
	receive(c, GET);
	cr_assert(sends(c, "HTTP/1.1 503 "));
	cr_assert_not(c->closing);
	granted = -1;
	receive(c, GET);
	cr_assert_eq(c->step, SERVE_OPEN);
	cr_assert_str_eq(c->buffer->path, "a");
	end(c);
}

Test(http_memory, pipelined_requests_are_all_answered_without_a_buffer, .timeout = 10)
{
	struct serve_site site;
	struct serve_conn *c = begin(&site, NULL);

	granted = 0;
	receive_many(c);
	cr_assert_eq(send_all(c, "HTTP/1.1 200 "), MANY);
	cr_assert_eq(c->step, SERVE_RECV);
	end(c);
}

Test(http_memory, pipelined_requests_for_files_are_all_answered_without_a_buffer, .timeout = 10)
{
	struct serve_site site;
	struct serve_conn *c = begin(&site, "/");

	granted = 0;
	receive_many(c);
	cr_assert_eq(send_all(c, "HTTP/1.1 503 "), MANY);
	cr_assert_eq(c->step, SERVE_RECV);
	end(c);
}

Test(http_memory, a_file_without_a_large_buffer_is_read_in_pieces, .timeout = 10)
{
	char path[] = "/tmp/magpie_memory_XXXXXX";
	struct serve_site site;
	struct serve_conn *c = begin(&site, "/");

	opened = mkstemp(path);
	cr_assert(opened >= 0 && unlink(path) == 0 && ftruncate(opened, SERVE_LARGE) == 0);
	granted = 1;
	receive(c, GET);
	cr_assert_eq(c->step, SERVE_OPEN);
	serve_file_opened(c);
	cr_assert_eq(c->step, SERVE_READ);
	cr_assert_eq(c->file_left, SERVE_LARGE);
	cr_assert_eq(c->out_size, SERVE_SMALL);
	cr_assert_eq(memcmp(c->out, "HTTP/1.1 200 ", 13), 0);
	c->n = c->out_size - c->out_len;
	serve_file_read(c);
	cr_assert_eq(c->step, SERVE_SEND);
	close(opened);
	end(c);
}

Test(http_memory, a_target_that_comes_in_pieces_and_cannot_be_kept_ends_the_connection, .timeout = 10)
{
	struct serve_site site;
	struct serve_conn *c = begin(&site, NULL);

	granted = 0;
	receive(c, "GET /a");
	cr_assert_eq(c->step, SERVE_FINISH);
	end(c);
}

Test(http_memory, what_came_before_a_target_that_cannot_be_kept_is_answered, .timeout = 10)
{
	struct serve_site site;
	struct serve_conn *c = begin(&site, NULL);

	granted = 0;
	receive(c, GET "GET /a");
	cr_assert(sends(c, "HTTP/1.1 200 "));
	cr_assert(c->closing);
	serve_answer(c);
	cr_assert_eq(c->step, SERVE_FINISH);
	end(c);
}

Test(http_memory, a_target_that_comes_in_pieces_leaves_the_workers_spill, .timeout = 10)
{
	struct serve_site site;
	struct serve_conn *c = begin(&site, "/");

	receive(c, "GET /first");
	cr_assert_eq(c->step, SERVE_RECV);
	memset(here.spill, '?', sizeof(here.spill)); /* another connection's */
	receive(c, "/second HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert_eq(c->step, SERVE_OPEN);
	cr_assert_str_eq(c->buffer->path, "first/second");
	end(c);
}

Test(http_memory, a_gate_without_memory_is_not_made, .timeout = 10)
{
	struct serve_gate gate;

	for (int n = 0; n < 2; n++) {
		granted = n;
		cr_assert_eq(serve_gate_init(&gate, 100, 10), -ENOMEM);
	}
	granted = -1;
	cr_assert_eq(serve_gate_init(&gate, 100, 10), 0);
	serve_gate_fini(&gate);
}
