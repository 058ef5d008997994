/* SPDX-License-Identifier: MIT */
/* load_wire.h - a connection as the load sees it: opened, written to, read from, closed; bare or under TLS. */
#ifndef MAGPIE_TOOLS_LOAD_WIRE_H
#define MAGPIE_TOOLS_LOAD_WIRE_H

#include <magpie/tcp.h>
#include <magpie/tls.h>

struct load_wire {
	mag_fd fd;     /* generation 0: closed */
	mag_tls *tls;  /* NULL: bare */
	char why[160]; /* what TLS has to say about a connection that could not be opened; "" nothing */
};

static inline bool load_wire_is_open(const struct load_wire *wire)
{
	return wire->fd.generation != 0;
}

/* MAG_CALL(rc, load_wire_open, .wire = &self->wire, .addr = addr, .timeout_ns = ns). tls: NULL for a bare one; host: the name
 * that its certificate must have.
 * Returns: 0, MAG_ETIMEDOUT, or as mag_tcp_connect and mag_tls_handshake; then it is closed */
struct load_wire_open {
	mag_frame frame;
	MAG_ARGS(load_wire_open, struct load_wire *wire; const mag_addr *addr; uint64_t timeout_ns; mag_tls_context *tls;
		 const char *host;);
	mag_scope scope;
	int64_t rc, ended, waste;
};
MAG_DECLARE_TASK(load_wire_open);

/* MAG_AWAIT(rc, load_wire_send, &self->wire, buf, len): all of it.  Returns: as mag_send_all */
static inline MAG_OP load_wire_send(MAG_OP_ARGS, struct load_wire *wire, const void *buf, size_t len)
{
#ifdef MAGPIE_HAVE_TLS
	if (wire->tls)
		return mag_tls_send_all(w, f, wire->tls, buf, len);
#endif
	return mag_send_all(w, f, wire->fd, buf, len);
}

/* MAG_AWAIT(n, load_wire_recv, &self->wire, buf, len): what there is.  Returns: as mag_recv */
static inline MAG_OP load_wire_recv(MAG_OP_ARGS, struct load_wire *wire, void *buf, size_t len)
{
#ifdef MAGPIE_HAVE_TLS
	if (wire->tls)
		return mag_tls_recv(w, f, wire->tls, buf, len);
#endif
	return mag_recv(w, f, wire->fd, buf, len);
}

/* MAG_CALL(rc, load_wire_close, .wire = &self->wire): nothing when it is closed. Never cut short by cancellation. */
struct load_wire_close {
	mag_frame frame;
	MAG_ARGS(load_wire_close, struct load_wire *wire;);
	int64_t rc;
};
MAG_DECLARE_TASK(load_wire_close);

#endif
