/* SPDX-License-Identifier: MIT */
/* net.h - what the files of net/ share. */
#ifndef MAGI_NET_NET_H
#define MAGI_NET_NET_H

#include <magpie/addr.h>
#include <magpie/unix.h>

#include "sched/types.h"

/* An address without a port; IPv6 without brackets. 0, -EINVAL. */
int magi_addr_parse_host(mag_addr *addr, const char *host);

/* "unix:/path", "unix:@abstract"; as snprintf. */
int magi_addr_format_unix(const mag_addr *addr, char *text, size_t size);

/* Takes a new descriptor into the table of files, or closes it: 0 and *fd, or a negative error (raw may be one,
 * too). */
int magi_adopt(struct magi_worker *w, int raw, mag_fd *fd);

/* A listening socket. 0 and *fd, or a negative error. */
int magi_listen(const mag_addr *addr, int backlog, int (*prepare)(int raw, const void *options), const void *options,
		mag_fd *fd);

/* A datagram socket; bound, unless addr is NULL. 0 and *fd, or a negative error. */
int magi_bound(int family, const mag_addr *addr, mag_fd *fd);

/* Sets an option of a descriptor to a number: 0, -errno. */
int magi_set(int raw, int level, int option, int value);

#endif
