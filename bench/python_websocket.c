/* SPDX-License-Identifier: MIT */
/* python_websocket.c - a WebSocket echo server on Python's library websockets (Debian: python3-websockets). */
#include "cases.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server.h"

#define PYTHON "/usr/bin/python3" /* the one that has Debian's packages */

static const char server[] = "import asyncio, logging, socket, sys\n"
			     "import websockets\n"
			     "logging.disable()\n" /* that the client closes without a word is no news */
			     "async def echo(ws, path=None):\n"
			     "    async for message in ws:\n"
			     "        await ws.send(message)\n"
			     "async def main():\n"
			     "    listener = socket.socket(fileno=int(sys.argv[1]))\n"
			     "    stop = asyncio.Event()\n"
			     "    asyncio.get_running_loop().add_reader(int(sys.argv[2]), stop.set)\n"
			     "    server = await websockets.serve(echo, sock=listener, backlog=4096, compression=None)\n"
			     "    await stop.wait()\n"
			     "    import os\n"
			     "    os._exit(0)\n"
			     "asyncio.run(main())\n";

static bool has_websockets(void)
{
	int pid = fork(), status = -1;

	if (pid == 0) {
		close(STDERR_FILENO);
		execl(PYTHON, PYTHON, "-c", "import websockets", (char *)NULL);
		_exit(127);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status == 0;
}

/* This process becomes the server, under the number that its clock is read by. */
static int serve(int listen_fd, int stop_fd, const struct bench_server *how, struct bench_run *r)
{
	char listener[16], stop[16];

	(void)how;
	snprintf(listener, sizeof listener, "%d", listen_fd);
	snprintf(stop, sizeof stop, "%d", stop_fd);
	fcntl(listen_fd, F_SETFD, 0);
	fcntl(stop_fd, F_SETFD, 0);
	execl(PYTHON, PYTHON, "-c", server, listener, stop, (char *)NULL);
	return bench_fail(r, -errno, "%s: %s", PYTHON, strerror(errno));
}

int python_websocket(struct bench_run *r)
{
	struct bench_server how = { .serve = serve,
				    .protocol = BENCH_WEBSOCKET,
				    .measure = r->param2 ? BENCH_RATE : BENCH_CPU,
				    .connections = (int)r->param };

	if (!has_websockets())
		return bench_fail(r, BENCH_SKIP, "no websockets for " PYTHON " (Debian: python3-websockets)");
	return bench_server_run(&how, r);
}
