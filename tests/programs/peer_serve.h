/* SPDX-License-Identifier: MIT */
/* peer_serve.h - the serving half of a program that others' programs talk to: listens anywhere, says `port N`, and gives each
 * connection to a task `guest` of the includer's. */
#ifndef MAGPIE_TESTS_PEER_SERVE_H
#define MAGPIE_TESTS_PEER_SERVE_H

struct serve {
	mag_frame frame;
	MAG_ARGS(serve, mag_tls_context *context;);
	mag_fd listener, fd;
	mag_addr addr;
	mag_group group;
	int64_t rc, why;
};

MAG_TASK(serve)
{
	MAG_BEGIN(serve);
	self->rc = mag_addr_parse(&self->addr, "127.0.0.1:0");
	if (self->rc == 0)
		self->rc = mag_tcp_listen(&self->addr, NULL, &self->listener);
	if (self->rc == 0)
		self->rc = mag_fd_local_addr(self->listener, &self->addr);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("port %d\n", mag_addr_port(&self->addr));
	fflush(stdout);
	MAG_GROUP_BEGIN(&self->group, .policy = MAG_COLLECT);
	while (self->rc >= 0) {
		MAG_AWAIT(self->rc, mag_accept, self->listener, &self->fd, NULL);
		if (self->rc == 0)
			MAG_SPAWN(self->rc, &self->group, guest, .context = self->context, .fd = self->fd);
	}
	MAG_GROUP_END(self->why, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

#endif
