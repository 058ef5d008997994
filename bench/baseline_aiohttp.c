/* SPDX-License-Identifier: MIT */
/* baseline_aiohttp.c - the same GETs by Python: aiohttp on uvloop, a task each. */
#include "cases.h"
#include "http_peer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHARE = 4, ABSENT = 77 }; /* of the requests: it is slow */

static const char script[] =
	"import sys\n"
	"try:\n"
	"    import asyncio, time, aiohttp, uvloop\n"
	"except ImportError:\n"
	"    sys.exit(77)\n"
	"async def get(session, url, n):\n"
	"    for _ in range(n):\n"
	"        async with session.get(url) as answer:\n"
	"            if await answer.read() != b'" BENCH_HELLO "':\n"
	"                sys.exit(1)\n"
	"async def main(url, tasks, n):\n"
	"    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=tasks)) as session:\n"
	"        start = time.monotonic()\n"
	"        await asyncio.gather(*(get(session, url, n // tasks) for _ in range(tasks)))\n"
	"        print(n // tasks * tasks / (time.monotonic() - start))\n"
	"uvloop.install()\n"
	"asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))\n";

static void become_python(const char *url, int n, int out)
{
	static const char *const pythons[] = { "/usr/bin/python3", "python3" }; /* the system's has the packages */
	char tasks[16], count[16];

	snprintf(tasks, sizeof tasks, "%d", HTTP_PEER_AT_ONCE);
	snprintf(count, sizeof count, "%d", n);
	dup2(out, STDOUT_FILENO);
	for (int i = 0; i < 2; i++)
		execlp(pythons[i], "python3", "-c", script, url, tasks, count, (char *)NULL);
	_exit(ABSENT);
}

static int measure(struct bench_run *r, const char *url)
{
	char text[64] = "";
	int ends[2], status = 0, pid, parent = getpid();
	ssize_t n;

	if (pipe(ends))
		return bench_fail(r, -errno, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (bench_die_with_parent(parent) == 0)
			become_python(url, http_peer_requests(r) / SHARE, ends[1]);
		_exit(1);
	}
	close(ends[1]);
	n = pid < 0 ? 0 : read(ends[0], text, sizeof text - 1);
	close(ends[0]);
	if (pid < 0)
		return bench_fail(r, -EAGAIN, "fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == ABSENT)
		return bench_fail(r, BENCH_SKIP,
				  "aiohttp or uvloop is not installed (Debian: python3-aiohttp python3-uvloop)");
	r->value = n > 0 ? strtod(text, NULL) : 0;
	return r->value > 0 && status == 0 ? 0 : bench_fail(r, -EBADMSG, "aiohttp has failed");
}

int baseline_aiohttp(struct bench_run *r)
{
	struct http_peer peer;
	int rc = http_peer_start(&peer, r);

	return rc == 0 ? http_peer_stop(&peer, r, measure(r, peer.url)) : rc;
}
