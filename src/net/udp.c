/* SPDX-License-Identifier: MIT */
/* udp.c - datagrams. */
#include <errno.h>
#include <magpie/udp.h>
#include <string.h>

#include "base/sys.h"
#include "net/net.h"
#include "task/file.h"
#include "task/wait.h"

static bool is_ip(const mag_addr *addr)
{
	return addr && addr->len && (addr->storage.ss_family == AF_INET || addr->storage.ss_family == AF_INET6);
}

/* A socket that did not get as far as it should. */
static int undo(mag_fd *fd, int rc)
{
	int raw = mag_fd_release(*fd);

	if (raw >= 0)
		magi_sys_close(raw);
	*fd = MAG_FD_NONE;
	return rc;
}

int magi_bound(int family, const mag_addr *addr, mag_fd *fd)
{
	int rc = mag_socket(family, SOCK_DGRAM, 0, fd);

	if (rc == 0 && addr) {
		rc = mag_bind(*fd, addr);
		if (rc < 0)
			return undo(fd, rc);
	}
	return rc;
}

int mag_udp_bind(const mag_addr *addr, mag_fd *fd)
{
	if (!fd)
		return -EINVAL;
	*fd = MAG_FD_NONE;
	return is_ip(addr) ? magi_bound(addr->storage.ss_family, addr, fd) : -EINVAL;
}

int mag_udp_connect(const mag_addr *addr, mag_fd *fd)
{
	int rc;

	if (!fd)
		return -EINVAL;
	*fd = MAG_FD_NONE;
	if (!is_ip(addr))
		return -EINVAL;
	rc = mag_socket(addr->storage.ss_family, SOCK_DGRAM, 0, fd);
	/* a datagram socket is connected by noting the address: nothing is sent or waited for */
	if (rc == 0) {
		rc = magi_sys_connect(mag_fd_raw(*fd), (const struct sockaddr *)&addr->storage, addr->len);
		if (rc < 0)
			return undo(fd, rc);
	}
	return rc;
}

static void fill(mag_datagram *d, bool with_addr)
{
	d->part = (struct iovec){ d->data, d->len };
	memset(&d->header, 0, sizeof(d->header));
	d->header.msg_iov = &d->part;
	d->header.msg_iovlen = 1;
	if (with_addr) {
		d->header.msg_name = &d->addr.storage;
		d->header.msg_namelen = d->addr.len;
	}
}

mag_frame *mag_datagram_send(mag_worker *w, mag_frame *f, mag_fd fd, mag_datagram *d)
{
	struct magi_req req = { .code = MAGI_IO_SENDMSG };

	if (!d || (!d->data && d->len))
		return magi_wait_done(w, f, -EINVAL);
	fill(d, d->addr.len);
	req.addr = &d->header;
	return magi_file_await(w, f, fd, MAGI_FD_WRITING, &req, NULL, NULL);
}

static int64_t received(struct magi_worker *w, void *object, const struct magi_rec *rec)
{
	mag_datagram *d = object;

	(void)w;
	if (rec->res >= 0) {
		d->addr.len = d->header.msg_namelen;
		d->truncated = d->header.msg_flags & MSG_TRUNC;
	}
	return rec->res;
}

mag_frame *mag_datagram_recv(mag_worker *w, mag_frame *f, mag_fd fd, mag_datagram *d)
{
	struct magi_req req = { .code = MAGI_IO_RECVMSG };

	if (!d || (!d->data && d->len))
		return magi_wait_done(w, f, -EINVAL);
	d->truncated = false;
	d->addr.len = sizeof(d->addr.storage);
	fill(d, true);
	d->addr.len = 0;
	req.addr = &d->header;
	return magi_file_await(w, f, fd, MAGI_FD_READING, &req, received, d);
}
