/* SPDX-License-Identifier: MIT */
/* test_io_accept.c - the contract: connections. */
#include "conformance/fixture.h"

static struct magi_req accept_of(int fd, uint8_t flags)
{
	return (struct magi_req){ .code = MAGI_IO_ACCEPT, .flags = flags, .fd = fd, .op_flags = SOCK_CLOEXEC };
}

CONFORMS(a_connection_is_accepted_and_carries_data)
{
	struct sockaddr_storage address;
	socklen_t size;
	int listener = fx_listener(f, &address, &size), client, server;
	uint64_t token = fx_submit(f, accept_of(listener, 0));
	char in[2];

	client = fx_connect(f, &address, size);
	server = fx_wait(f, token).res;
	cr_assert(server >= 0, "%d", server);
	fx_send_all(f, client, "hi", 2);
	fx_recv_all(f, server, in, 2);
	cr_assert(memcmp(in, "hi", 2) == 0);
	fx_close_fd(f, client);
	fx_close_fd(f, server);
	fx_close_fd(f, listener);
}

CONFORMS(accept_tells_the_peer)
{
	struct sockaddr_storage address, peer;
	socklen_t size, peer_size = sizeof(peer);
	int listener = fx_listener(f, &address, &size), client = fx_connect(f, &address, size), server;
	struct magi_req req = accept_of(listener, 0);

	req.addr = &peer;
	req.addr2 = &peer_size;
	server = fx_do(f, req);
	cr_assert(server >= 0);
	cr_assert(peer_size == sizeof(struct sockaddr_in) && peer.ss_family == AF_INET);
	fx_close_fd(f, client);
	fx_close_fd(f, server);
	fx_close_fd(f, listener);
}

CONFORMS(connecting_to_nobody_is_refused)
{
	struct sockaddr_storage address;
	socklen_t size;
	int listener = fx_listener(f, &address, &size), fd;

	fx_close_fd(f, listener);
	fd = fx_socket(f);
	cr_assert(fx_do(f, (struct magi_req){ .code = MAGI_IO_CONNECT, .fd = fd, .addr = &address, .len = size }) ==
		  -ECONNREFUSED);
	fx_close_fd(f, fd);
}

/* Accepts with multishot, submitted anew whenever it ends; cancelled when enough have come. */
CONFORMS(multishot_accept_takes_all_until_it_is_cancelled)
{
	enum { CLIENTS = 12 };
	struct sockaddr_storage address;
	socklen_t size;
	int listener = fx_listener(f, &address, &size), clients[CLIENTS], accepted = 0, looked = 0;
	uint64_t token = fx_submit(f, accept_of(listener, MAGI_REQ_MULTISHOT)), before;

	for (int i = 0; i < CLIENTS; i++)
		clients[i] = fx_connect(f, &address, size);
	while (accepted < CLIENTS) {
		for (; looked < f->count; looked++) {
			if (f->log[looked].token != token)
				continue;
			cr_assert(f->log[looked].res >= 0);
			fx_close_fd(f, f->log[looked].res);
			accepted++;
			if (!(f->log[looked].flags & MAGI_REC_MORE))
				token = fx_submit(f, accept_of(listener, MAGI_REQ_MULTISHOT));
		}
		if (accepted < CLIENTS)
			fx_poll(f, FX_PATIENCE);
	}
	fx_settle(f);
	before = token;
	f->ops->cancel(f->io, token);
	cr_assert(fx_wait(f, before).res == -ECANCELED);
	for (int i = 0; i < CLIENTS; i++)
		fx_close_fd(f, clients[i]);
	fx_close_fd(f, listener);
}

CONFORMS(accept_without_descriptors_says_so_and_keeps_the_connection)
{
	struct sockaddr_storage address;
	socklen_t size;
	int listener = fx_listener(f, &address, &size), client = fx_connect(f, &address, size), rc;

	fx_no_fds(f, true);
	rc = fx_do(f, accept_of(listener, 0));
	fx_no_fds(f, false);
	cr_assert(rc == -EMFILE, "%d", rc);
	rc = fx_do(f, accept_of(listener, 0));
	cr_assert(rc >= 0, "%d", rc);
	fx_close_fd(f, rc);
	fx_close_fd(f, client);
	fx_close_fd(f, listener);
}

CONFORMS(multishot_accept_ends_for_want_of_descriptors)
{
	struct sockaddr_storage address;
	socklen_t size;
	int listener = fx_listener(f, &address, &size), client = fx_connect(f, &address, size), rc;
	uint64_t token;

	fx_no_fds(f, true);
	token = fx_submit(f, accept_of(listener, MAGI_REQ_MULTISHOT));
	rc = fx_wait(f, token).res;
	fx_no_fds(f, false);
	cr_assert(rc == -EMFILE, "%d", rc);
	rc = fx_do(f, accept_of(listener, 0));
	cr_assert(rc >= 0);
	fx_close_fd(f, rc);
	fx_close_fd(f, client);
	fx_close_fd(f, listener);
}

/* As with open: who accepts after the cancel has a descriptor to dispose of. */
CONFORMS(an_accept_that_beats_its_cancel_gives_its_descriptor)
{
	struct sockaddr_storage address;
	socklen_t size;
	int listener = fx_listener(f, &address, &size);

	for (int i = 0; i < 20; i++) {
		int client = fx_connect(f, &address, size), res;
		uint64_t token = fx_submit(f, accept_of(listener, 0));

		if (i % 2)
			fx_poll(f, 0);
		f->ops->cancel(f->io, token);
		res = fx_wait(f, token).res;
		if (res == -ECANCELED)
			res = fx_do(f, accept_of(listener, 0));
		cr_assert(res >= 0, "%d", res);
		fx_close_fd(f, res);
		fx_close_fd(f, client);
	}
	fx_close_fd(f, listener);
}
