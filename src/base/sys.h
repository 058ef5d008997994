/* SPDX-License-Identifier: MIT */
/* sys.h - the system calls that the library makes itself, at once, on descriptors and names.
 *
 * What:    a simulation answers them on its own thread (host.h), else the system does. What may wait goes through a
 *          backend (io/io.h) instead.
 * Who:     any thread.
 * Always:  0 or more, or -errno. Each is a fault site of its own plan: magi_fault_syscalls.
 * Not:     errno, in a caller. */
#ifndef MAGI_BASE_SYS_H
#define MAGI_BASE_SYS_H

#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/host.h"

/* What a simulation has in their place: the same arguments, after its world; the same results. */
struct magi_sys {
	int (*socket)(struct magi_world *world, int family, int type, int protocol);
	int (*socketpair)(struct magi_world *world, int family, int type, int protocol, int pair[2]);
	int (*bind)(struct magi_world *world, int fd, const struct sockaddr *addr, socklen_t len);
	int (*listen)(struct magi_world *world, int fd, int backlog);
	int (*connect)(struct magi_world *world, int fd, const struct sockaddr *addr, socklen_t len);
	int (*getsockname)(struct magi_world *world, int fd, struct sockaddr *addr, socklen_t *len);
	int (*getpeername)(struct magi_world *world, int fd, struct sockaddr *addr, socklen_t *len);
	int (*setsockopt)(struct magi_world *world, int fd, int level, int option, const void *value, socklen_t size);
	int (*getsockopt)(struct magi_world *world, int fd, int level, int option, void *value, socklen_t *size);
	int (*fcntl)(struct magi_world *world, int fd, int command, int value);
	int (*open)(struct magi_world *world, const char *path, int flags);
	int (*close)(struct magi_world *world, int fd);
	int64_t (*sendfile)(struct magi_world *world, int to, int file, uint64_t offset, size_t n);
	int64_t (*preadv2)(struct magi_world *world, int fd, const struct iovec *iov, int count, uint64_t offset,
			   int flags);
	int (*statx)(struct magi_world *world, int dir, const char *path, int flags, unsigned mask,
		     struct statx *status);
	int (*getaddrinfo)(struct magi_world *world, const char *name, const char *service,
			   const struct addrinfo *hints, struct addrinfo **list);
	void (*freeaddrinfo)(struct magi_world *world, struct addrinfo *list);
};

int magi_sys_socket(int family, int type, int protocol);
int magi_sys_socketpair(int family, int type, int protocol, int pair[2]);
int magi_sys_bind(int fd, const struct sockaddr *addr, socklen_t len);
int magi_sys_listen(int fd, int backlog);
int magi_sys_connect(int fd, const struct sockaddr *addr, socklen_t len);
int magi_sys_getsockname(int fd, struct sockaddr *addr, socklen_t *len);
int magi_sys_getpeername(int fd, struct sockaddr *addr, socklen_t *len);
int magi_sys_setsockopt(int fd, int level, int option, const void *value, socklen_t size);
int magi_sys_getsockopt(int fd, int level, int option, void *value, socklen_t *size);
int magi_sys_fcntl(int fd, int command, int value);
int magi_sys_open(const char *path, int flags);
/* Closes it also when it returns an error. */
int magi_sys_close(int fd);
int64_t magi_sys_sendfile(int to, int file, uint64_t offset, size_t n);
int64_t magi_sys_preadv2(int fd, const struct iovec *iov, int count, uint64_t offset, int flags);
int magi_sys_statx(int dir, const char *path, int flags, unsigned mask, struct statx *status);
/* 0, -ENOMEM, MAG_ERESOLVE or -errno. */
int magi_sys_getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **list);
void magi_sys_freeaddrinfo(struct addrinfo *list);
/* A network interface's number, or -ENODEV; its name, of IF_NAMESIZE. A simulation has "lo", 1. */
int magi_sys_if_index(const char *name);
int magi_sys_if_name(unsigned index, char *name);

/* From now on the n-th of these calls (1 is the next) fails with -error, and does nothing, but for close. n = 0:
 * off. */
MAG_API void magi_fault_syscalls(uint64_t n, int error);

/* How many of them were made since magi_fault_syscalls. */
MAG_API uint64_t magi_fault_syscalls_reached(void);

#endif
