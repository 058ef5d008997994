/* SPDX-License-Identifier: MIT */
/* errors.h - what each operation and system call can fail with, as its man page has it, and the kernel's source where
 * that says more (io_uring gives EAGAIN, EINTR and ECANCELED of its own).
 *
 * A fault at the beginning has no effect: EINTR, EAGAIN, and ENOMEM of a receive are found there alone. One at the end
 * has had it: the bytes are gone, the descriptor is closed, the file has its new name. */
#ifndef MAGPIE_TESTS_ERRORS_H
#define MAGPIE_TESTS_ERRORS_H

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/fault.h"

enum { ERRORS_MAX = 12 };

struct errors {
	const char *what; /* an operation of io/io.h, or a call of base/sys.h */
	int how[ERRORS_MAX];
};

#define SOCKET_NONE EMFILE, ENFILE, ENOBUFS, ENOMEM

static const struct errors errors_begin[] = {
	{ "accept", { ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EPERM, EAGAIN, EINTR, EINVAL } },
	{ "accept multishot", { ECONNABORTED, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EPERM, EAGAIN, EINTR } },
	{ "connect",
	  { ECONNREFUSED, ETIMEDOUT, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EADDRINUSE, EACCES, EINTR, ENOMEM } },
	{ "recv", { ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT, EINTR, ECONNREFUSED, EHOSTUNREACH } },
	{ "recv buffer", { ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT, EINTR } },
	{ "recv multishot", { ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT, EINTR } },
	{ "recvmsg", { ECONNREFUSED, ENOBUFS, ENOMEM, EINTR } },
	{ "send", { EPIPE, ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT, EINTR } },
	{ "sendmsg", { EPIPE, ECONNRESET, ENOBUFS, ENOMEM, EMSGSIZE, ENETUNREACH, EPERM, EINTR } },
	{ "read", { EIO, EINTR, ENOMEM, EISDIR, ESTALE } },
	{ "readv", { EIO, EINTR, ENOMEM } },
	{ "write", { EIO, ENOSPC, EDQUOT, EINTR, EFBIG, EROFS } },
	{ "writev", { EIO, ENOSPC, EDQUOT, EINTR } },
	{ "open", { ENOENT, EACCES, EMFILE, ENFILE, ENOMEM, EINTR, EIO, ENOSPC, EROFS, ETXTBSY } },
	{ "close", { ENOMEM } }, /* with any other it is closed */
	{ "fsync", { EIO, ENOSPC, EDQUOT, EINTR, EROFS } },
	{ "stat", { EIO, ENOMEM, EACCES, ENOENT } },
	{ "poll", { ENOMEM, EINTR } },
	{ "shutdown", { ENOTCONN, ENOBUFS } },
	{ "unlink", { EIO, EACCES, EBUSY, EROFS, ENOMEM } },
	{ "mkdir", { EIO, ENOSPC, EDQUOT, EACCES, EMLINK, ENOMEM } },
	{ "rename", { EIO, ENOSPC, EDQUOT, EACCES, EXDEV, EMLINK } },
	{ NULL, { 0 } },
};

static const struct errors errors_record[] = {
	{ "nop", { MAGI_FAULT_LATE } },
	{ "accept", { ECONNABORTED, EMFILE, ENOMEM, EPROTO, MAGI_FAULT_LATE } },
	{ "accept multishot", { ECONNABORTED, EMFILE, ENFILE, ENOMEM, EPROTO, MAGI_FAULT_LAST, MAGI_FAULT_LATE } },
	{ "connect", { ECONNREFUSED, ETIMEDOUT, ECONNRESET, EHOSTUNREACH, MAGI_FAULT_LATE } },
	{ "recv", { ECONNRESET, ETIMEDOUT, EIO, MAGI_FAULT_LATE } },
	{ "recv buffer", { ECONNRESET, ETIMEDOUT, MAGI_FAULT_LATE } },
	{ "recv multishot", { ECONNRESET, ETIMEDOUT, MAGI_FAULT_LAST, MAGI_FAULT_LATE } },
	{ "recvmsg", { ECONNREFUSED, EIO, MAGI_FAULT_LATE } },
	{ "send", { EPIPE, ECONNRESET, ETIMEDOUT, MAGI_FAULT_LATE } },
	{ "sendmsg", { EPIPE, ECONNRESET, ENOBUFS, ECONNREFUSED, MAGI_FAULT_LATE } },
	{ "read", { EIO, MAGI_FAULT_LATE } },
	{ "readv", { EIO, MAGI_FAULT_LATE } },
	{ "write", { EIO, ENOSPC, EDQUOT, MAGI_FAULT_LATE } },
	{ "writev", { EIO, ENOSPC, MAGI_FAULT_LATE } },
	{ "open", { EIO, ENOSPC, EMFILE, ENOMEM, MAGI_FAULT_LATE } },
	{ "close", { EIO, EINTR, ENOSPC, MAGI_FAULT_LATE } },
	{ "fsync", { EIO, ENOSPC, MAGI_FAULT_LATE } },
	{ "stat", { EIO, MAGI_FAULT_LATE } },
	{ "poll", { ENOMEM, MAGI_FAULT_LATE } },
	{ "shutdown", { ENOTCONN, MAGI_FAULT_LATE } },
	{ "unlink", { EIO, MAGI_FAULT_LATE } },
	{ "mkdir", { EIO, ENOSPC, MAGI_FAULT_LATE } },
	{ "rename", { EIO, ENOSPC, MAGI_FAULT_LATE } },
	{ NULL, { 0 } },
};

static const struct errors errors_system[] = {
	{ "socket", { SOCKET_NONE, EACCES, EAFNOSUPPORT } },
	{ "socketpair", { SOCKET_NONE } },
	{ "bind", { EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOMEM, EROFS } },
	{ "listen", { EADDRINUSE, ENOBUFS } },
	{ "connect", { ECONNREFUSED, ENETUNREACH, EAGAIN, EADDRNOTAVAIL } },
	{ "getsockname", { ENOBUFS } },
	{ "getpeername", { ENOTCONN, ENOBUFS } },
	{ "setsockopt", { ENOPROTOOPT, EINVAL, ENOMEM } },
	{ "getsockopt", { ENOPROTOOPT, EINVAL } },
	{ "fcntl", { EBADF, EPERM, EINVAL } },
	{ "open", { EMFILE, ENFILE, ENOMEM, ENOENT, EACCES, EINTR } },
	{ "close", { EIO, EINTR } },
	{ "sendfile", { EAGAIN, EIO, EPIPE, ECONNRESET, ENOMEM, EINVAL, EINTR } },
	{ "preadv2", { EAGAIN, EIO, EOPNOTSUPP, EINTR, ENOMEM } },
	{ "statx", { EIO, ENOMEM, EACCES } },
	{ "send", { EAGAIN, EPIPE, ECONNRESET } },
	{ "ioctl", { EINVAL } },
	{ "getaddrinfo", { ENOMEM, EAGAIN, EMFILE } },
	{ NULL, { 0 } },
};

static const struct errors errors_cancel[] = { { "", { ENOENT, EALREADY, MAGI_FAULT_LATE } } };
static const struct errors errors_memory[] = { { "", { ENOMEM } } };
static const struct errors errors_transfer[] = { { "", { EIO } } };

/* The errors of a site at which that is done. */
static const struct errors *errors_of(enum magi_fault_site site, const char *what)
{
	const struct errors *e = site == MAGI_FAULT_BEGIN    ? errors_begin
				 : site == MAGI_FAULT_RECORD ? errors_record
				 : site == MAGI_FAULT_SYSTEM ? errors_system
				 : site == MAGI_FAULT_CANCEL ? errors_cancel
				 : site == MAGI_FAULT_MEMORY ? errors_memory
							     : errors_transfer;

	if (e == errors_cancel || e == errors_memory || e == errors_transfer)
		return e;
	while (e->what && (!what || strcmp(e->what, what) != 0))
		e++;
	return e;
}

#endif
