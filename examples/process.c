/* SPDX-License-Identifier: MIT */
/* process.c - child processes: one that is talked to, one whose output is wanted, one that takes too long, one that is not
 * there. */
#include <errno.h>
#include <magpie/magpie.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define PROGRAM(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define OPTIONS(...) (&(struct mag_process_options){ .size = sizeof(struct mag_process_options), __VA_ARGS__ })

/* Says something to `tr`, and hears it in capitals. */
struct talk {
	mag_frame frame;
	MAG_NO_ARGS(talk);
	mag_process tr;
	char text[16];
	int64_t n, rc, status;
};

MAG_TASK(talk)
{
	MAG_BEGIN(talk);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->tr,
		  OPTIONS(.argv = PROGRAM("tr", "a-z", "A-Z"), .in = MAG_STDIO_PIPE, .out = MAG_STDIO_PIPE));
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->n, mag_write_all, self->tr.in, "magpie\n", 7, MAG_OFFSET_NONE, NULL);
	MAG_AWAIT(self->rc, mag_process_close_in, &self->tr); /* the end of its input */
	MAG_AWAIT(self->n, mag_read, self->tr.out, self->text, sizeof(self->text), MAG_OFFSET_NONE);
	MAG_AWAIT(self->status, mag_process_end, &self->tr);
	printf("tr says %.*s", self->n > 0 ? (int)self->n : 0, self->text);
	MAG_RETURN(self->n == 7 && !memcmp(self->text, "MAGPIE\n", 7) ? 0 : -EPROTO);
	MAG_END;
}

/* All that it writes, up to a limit. */
struct output {
	mag_frame frame;
	MAG_NO_ARGS(output);
	struct mag_process_output_text text;
	int64_t status;
};

MAG_TASK(output)
{
	MAG_BEGIN(output);
	MAG_AWAIT(self->status, mag_process_output,
		  OPTIONS(.argv = PROGRAM("sh", "-c", "echo $NAME; echo trouble >&2; exit 3"), .env = PROGRAM("NAME=value")), NULL,
		  0, 4096, &self->text);
	if (self->status >= 0)
		printf("sh exits with %d, after %s and %s", (int)self->status, strtok(self->text.out, "\n"), self->text.err);
	mag_process_output_free(&self->text);
	MAG_RETURN(self->status == 3 ? 0 : -EPROTO);
	MAG_END;
}

/* As a resource: whatever happens in between, it is ended. */
struct slow {
	mag_frame frame;
	MAG_NO_ARGS(slow);
	mag_process sleeper;
	mag_using use;
	mag_scope scope;
	int64_t rc, why;
};

MAG_TASK(slow)
{
	static const char *const argv[] = { "sleep", "3600", NULL };
	static const struct mag_process_options options = { .size = sizeof(options), .argv = argv };

	MAG_BEGIN(slow);
	MAG_WITH_TIMEOUT(&self->scope, 20 * MAG_MILLISECOND);
	MAG_USING_BEGIN(self->rc, &self->use, mag_process, &self->sleeper, .options = &options);
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_process_wait, &self->sleeper);
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_SCOPE_END(self->why, &self->scope);
	printf("sleep: %s; it was ended\n", mag_errname(self->why));
	MAG_RETURN(self->why == MAG_ETIMEDOUT ? 0 : -EPROTO);
	MAG_END;
}

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	mag_process none;
	int64_t rc;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	MAG_CALL(self->rc, talk);
	if (self->rc == 0)
		MAG_CALL(self->rc, output);
	if (self->rc == 0)
		MAG_CALL(self->rc, slow);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_process_spawn, &self->none, OPTIONS(.argv = PROGRAM("no-such-program")));
	printf("no-such-program: %s\n", mag_errname(self->rc));
	MAG_RETURN(self->rc == -ENOENT ? 0 : -EPROTO);
	MAG_END;
}

int main(void)
{
	int64_t rc = mag_run(NULL, all);

	if (rc < 0)
		fprintf(stderr, "process: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
