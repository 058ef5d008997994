/* SPDX-License-Identifier: MIT */
/* sendfile.h - a file to a socket, without passing through the program. */
#ifndef MAGPIE_SENDFILE_H
#define MAGPIE_SENDFILE_H

#include <magpie/fd.h>

MAGI_C_BEGIN

enum { MAG_SENDFILE_CHUNK = 128 * 1024 }; /* bytes a step at most: others run between */

/* MAG_CALL(n, mag_sendfile, .to = self->socket, .file = self->file, .offset = 0, .length = self->bytes): sends a part
 * of a file. What is in the page cache goes from there; what is not is read by the ring first, so that no worker waits
 * for a disk. Nothing else may send to the socket meanwhile. The socket is made non-blocking, which other operations do
 * not mind.
 *
 * Await:    yes, a cancellation point
 * Threads:  any worker
 * Returns:  length; MAG_EEOF (the file ends before), or an error of sending or reading. In each case *count says how
 *           many bytes are sent; count may be NULL. -EINVAL: an offset or length beyond what a file can have
 * Since:    0.1 */
struct mag_sendfile {
	mag_frame frame;
	MAG_ARGS(mag_sendfile, mag_fd to; mag_fd file; uint64_t offset; uint64_t length; size_t *count;);
	uint64_t sent;
	size_t want, moved;
	char *buf; /* for what is not in the page cache */
	int64_t rc;
};
MAG_API MAG_DECLARE_TASK(mag_sendfile);

MAGI_C_END

#endif
