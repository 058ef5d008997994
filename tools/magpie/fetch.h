/* SPDX-License-Identifier: MIT */
/* fetch.h - `magpie fetch`: a list of URLs, so many at once, a record for each.
 *
 * Who:     options and `had` are written before the runtime starts; what stands below the mutex is the task's that
 *          holds it. */
#ifndef MAGPIE_TOOLS_FETCH_H
#define MAGPIE_TOOLS_FETCH_H

#include <magpie/http_client.h>
#include <magpie/magpie.h>

enum {
	FETCH_HEADERS_MAX = 64,
	FETCH_URL_MAX = 8192,
	FETCH_PATH_MAX = 1024,
	FETCH_NAME_MAX = 128, /* of a file, what keeps it apart from others among it */
	/* each byte of a text may take six in JSON */
	FETCH_RECORD_MAX = 6 * (FETCH_URL_MAX + FETCH_PATH_MAX + MAG_HTTP_WHY_MAX) + 1024
};

/* What has been fetched by an earlier run: a set of URLs, and of paths, as they stand in the records. */
struct fetch_had {
	char **urls;
	size_t n, room; /* a power of two */
};

struct fetch_options {
	uint32_t at_once, rate, retries, workers;
	uint64_t timeout_ns;
	const char *list;   /* a file, "-", or a URL, maybe with a range: http://host/[1-100] */
	const char *output; /* a directory for bodies; NULL: they are counted and dropped */
	const char *jsonl;  /* where records go; NULL: stdout */
	const char *ca_file;
	mag_http_pair headers[FETCH_HEADERS_MAX];
	size_t headers_n;
	bool resume, quiet, trust_anyone, progress;
};

struct fetch_job {
	uint64_t index; /* in the list, from 1 on */
	char *url;
};

/* What became of one URL. */
struct fetch_result {
	const char *url;
	int status;
	uint64_t bytes;
	uint32_t attempts;
	const char *error; /* NULL: none */
	const char *why;
	const char *file; /* NULL: none */
	mag_http_timing timing;
};

struct fetch {
	const struct fetch_options *options;
	struct fetch_had had;
	int out;        /* records */
	uint64_t total; /* URLs; 0: not known */
	mag_http_session session;
	mag_limiter limiter;
	mag_queue jobs;
	mag_event done, stop;
	uint64_t start;
	mag_mutex mutex;
	uint64_t good, failed, skipped, bytes;
	uint32_t running; /* tasks that fetch */
	int64_t fault;    /* of the list or the records; 0: none */
	const char *faulty;
	bool interrupted;
};

/* fetch_record.c */
size_t fetch_record(char *line, const struct fetch_result *r); /* JSON with its line end, FETCH_RECORD_MAX at most */
int fetch_had_load(struct fetch_had *had, int fd);             /* cuts off a last line that is not whole; 0 or -errno */
bool fetch_had_has(const struct fetch_had *had, const char *url_or_path);
void fetch_had_free(struct fetch_had *had);

/* fetch_list.c: MAG_CALL(rc, fetch_feed, .f = f): puts the jobs of the list into the queue, and closes it. */
struct fetch_feed {
	mag_frame frame;
	MAG_ARGS(fetch_feed, struct fetch *f;);
	mag_fd fd;
	mag_lines lines;
	mag_line line;
	struct fetch_job job;
	uint64_t first, last, at;
	int64_t rc, closed;
};
MAG_DECLARE_TASK(fetch_feed);
uint64_t fetch_count(const char *list); /* how many URLs there are, as far as that is known: 0 */

/* fetch_one.c: MAG_CALL(rc, fetch_one, …): one URL, with all its attempts. 0: it has a record; else MAG_ECANCELED. */
struct fetch_one {
	mag_frame frame;
	MAG_ARGS(fetch_one, struct fetch *f; struct fetch_job job;);
	mag_http_request request;
	mag_http_response response;
	mag_http_chunk chunk;
	mag_retry retry;
	mag_scope shield;
	struct fetch_result result;
	int64_t rc, tried, closed;
	char path[FETCH_PATH_MAX], why[MAG_HTTP_WHY_MAX];
	char line[FETCH_RECORD_MAX];
};
MAG_DECLARE_TASK(fetch_one);

/* fetch_run.c: all of it. Returns 0, or why it could not begin. */
int64_t fetch_run(struct fetch *f);

#endif
