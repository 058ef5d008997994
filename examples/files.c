/* SPDX-License-Identifier: MIT */
/* files.c - a file is written, changed at an offset, read whole and removed. */
#include <errno.h>
#include <magpie/file.h>
#include <magpie/magpie.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char first[] = "magpies like shiny stones\n";
static const char changed[] = "magpies like shiny rings!\n";

struct notes {
	mag_frame frame;
	MAG_ARGS(notes, const char *path;);
	mag_fd fd;
	mag_file_status status;
	char *data;
	int64_t rc, closed, length;
};

MAG_TASK(notes)
{
	MAG_BEGIN(notes);
	self->data = NULL;
	MAG_CALL(self->rc, mag_write_file, .path = self->path, .data = first, .length = strlen(first), .mode = 0600);
	if (self->rc < 0)
		MAG_RETURN(self->rc);

	MAG_AWAIT(self->rc, mag_open, self->path, O_RDWR, 0, &self->fd);
	if (self->rc < 0)
		goto unlink;
	MAG_AWAIT(self->rc, mag_write_all, self->fd, "rings!", 6, 19, NULL);
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_fsync, self->fd);
	if (self->rc >= 0)
		MAG_AWAIT(self->rc, mag_fstat, self->fd, &self->status);
	MAG_AWAIT(self->closed, mag_close, self->fd);
	if (self->rc < 0)
		goto unlink;

	MAG_CALL(self->length, mag_read_file, .path = self->path, .limit = 1 << 20, .data = &self->data);
	if (self->length < 0) {
		self->rc = self->length;
		goto unlink;
	}
	printf("%lld bytes, mode %o: %s", (long long)self->length, self->status.mode & 0777u, self->data);
	if ((uint64_t)self->length != self->status.bytes || strcmp(self->data, changed) != 0)
		self->rc = -EPROTO;
	mag_free(self->data);
unlink:
	MAG_AWAIT(self->closed, mag_unlink, self->path);
	MAG_RETURN(self->rc < 0 ? self->rc : self->closed);
	MAG_END;
}

int main(void)
{
	char path[64];
	int64_t rc;

	snprintf(path, sizeof path, "/tmp/magpie-files-%d", (int)getpid());
	rc = mag_run(NULL, notes, .path = path);
	if (rc < 0)
		fprintf(stderr, "files: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
