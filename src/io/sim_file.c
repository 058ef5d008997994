/* SPDX-License-Identifier: MIT */
/* sim_file.c - the sim backend's files: reading, writing, syncing; and, hosted, their names.
 *
 * Who:     the io's owner, in the world.
 * Always:  a disk's error comes before any effect; but a sync that fails has lost what was not synced. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "io/sim_world.h"

#define O_TEMPORARY (O_TMPFILE & ~O_DIRECTORY)

static bool may(const struct sim_object *file, bool write)
{
	int mode = file->flags & O_ACCMODE;

	return mode == O_RDWR || mode == (write ? O_WRONLY : O_RDONLY);
}

/* An error that the disk makes up, or 0. */
static int disk_fault(struct magi_world *w, uint8_t code, bool grows)
{
	int error;

	if (!sim_chance(w, MAGI_CHANCE_DISK))
		return 0;
	error = grows && magi_world_random(w, 2) ? -ENOSPC : -EIO;
	magi_note(MAGI_NOTE_DISK, SIM_DISK_FAULT, code, error);
	return error;
}

int64_t magi_world_file_read(struct sim_object *file, void *to, uint32_t n, uint64_t at)
{
	struct sim_node *node = file->node;

	if (file->kind != SIM_FILE)
		return -ESPIPE;
	if (!may(file, false))
		return -EBADF;
	if (magi_node_is_dir(node))
		return -EISDIR;
	if (at >= node->size)
		return 0;
	if (n > node->size - at)
		n = (uint32_t)(node->size - at);
	memcpy(to, node->bytes + at, n);
	return n;
}

static int file_read(struct sim_op *op)
{
	struct sim_object *file = op->object;
	uint64_t at = op->req.offset == UINT64_MAX ? file->position : op->req.offset;
	uint32_t n = magi_world_length(&op->req);
	int64_t rc = disk_fault(file->world, op->req.code, false);
	char *to;

	if (rc < 0)
		return (int)rc;
	to = magi_world_bounce(op, n);
	if (at < file->node->size && n > file->node->size - at)
		n = (uint32_t)(file->node->size - at);
	rc = magi_world_file_read(file, to, magi_world_shorten(op->io, n), at);
	op->bounced = rc > 0 ? (uint32_t)rc : 0;
	if (op->req.offset == UINT64_MAX && rc > 0)
		file->position += (uint64_t)rc;
	return (int)rc;
}

static int file_write(struct sim_op *op)
{
	struct sim_object *file = op->object;
	struct sim_node *node = file->node;
	uint64_t at = op->req.offset == UINT64_MAX ? file->position : op->req.offset;
	uint32_t n = magi_world_shorten(op->io, magi_world_length(&op->req));
	int rc;

	if (!may(file, true))
		return -EBADF;
	if (S_ISCHR(node->mode))
		return (int)n;
	rc = disk_fault(file->world, op->req.code, true);
	if (rc < 0)
		return rc;
	if (file->flags & O_APPEND)
		at = node->size;
	if (at > UINT32_MAX - n)
		return -EFBIG;
	if (n && at + n > node->size)
		magi_node_resize(node, at + n);
	if (n)
		magi_world_gather(&op->req, 0, node->bytes + at, n);
	node->changed = file->world->now;
	if (op->req.offset == UINT64_MAX)
		file->position = at + n;
	if (file->flags & O_DSYNC)
		magi_node_sync(node);
	return (int)n;
}

static int file_sync(struct sim_op *op)
{
	struct sim_node *node = op->object->node;

	if (S_ISCHR(node->mode))
		return -EINVAL;
	if (disk_fault(op->object->world, op->req.code, false) < 0) {
		magi_node_forget(node);
		magi_note(MAGI_NOTE_DISK, SIM_DISK_LOST, (int64_t)node->number, (int64_t)node->size);
		return -EIO;
	}
	magi_node_sync(node);
	return 0;
}

int magi_world_file_op(struct sim_op *op)
{
	switch (op->req.code) {
	case MAGI_IO_READ:
	case MAGI_IO_READV:
		return file_read(op);
	case MAGI_IO_WRITE:
	case MAGI_IO_WRITEV:
		return file_write(op);
	case MAGI_IO_FSYNC:
		return file_sync(op);
	default: /* what else is left is for sockets */
		return -ENOTSOCK;
	}
}

/* Names. */

static int make_at(struct magi_world *w, const struct sim_place *p, uint64_t flags, uint32_t mode,
		   struct sim_node **node)
{
	int rc = disk_fault(w, MAGI_IO_OPEN, true);

	if (rc < 0)
		return rc;
	*node = magi_node_make(&w->tree, S_IFREG | mode);
	(*node)->changed = w->now;
	if (!(flags & O_TEMPORARY))
		magi_node_link(p->dir, p->name, p->len, *node);
	return 0;
}

/* The node to open, with a reference of the caller's. */
static int node_to_open(struct magi_world *w, const struct sim_place *p, uint64_t flags, uint32_t mode,
			struct sim_node **node)
{
	bool writes = (flags & O_ACCMODE) != O_RDONLY;

	if ((flags & O_TEMPORARY) && p->node)
		return magi_node_is_dir(p->node) ? make_at(w, p, flags, mode, node) : -ENOTDIR;
	if (!p->node) {
		if (!(flags & O_CREAT))
			return -ENOENT;
		return p->must_be_dir ? -EISDIR : make_at(w, p, flags, mode, node);
	}
	if ((flags & O_CREAT) && (flags & O_EXCL))
		return -EEXIST;
	if (magi_node_is_dir(p->node) && (writes || (flags & O_CREAT)))
		return -EISDIR;
	if (!magi_node_is_dir(p->node) && (flags & O_DIRECTORY))
		return -ENOTDIR;
	if (S_ISSOCK(p->node->mode))
		return -ENXIO;
	*node = p->node;
	p->node->refs++;
	return 0;
}

int magi_world_file_open(struct magi_world *w, struct sim_node *dir, const char *path, uint64_t flags,
			 uint32_t mode, uint64_t resolve)
{
	struct sim_object *file;
	struct sim_place place;
	struct sim_node *node = NULL;
	int rc;

	if ((flags & O_CREAT) && (flags & O_DIRECTORY))
		return -EINVAL;
	rc = magi_tree_walk(&w->tree, dir, path, resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT), &place);
	if (rc == 0)
		rc = magi_world_fd_room(w, 1);
	if (rc == 0)
		rc = node_to_open(w, &place, flags, mode, &node);
	if (rc < 0)
		return rc;
	if ((flags & O_TRUNC) && S_ISREG(node->mode)) {
		magi_node_resize(node, 0);
		node->changed = w->now;
	}
	file = magi_world_object(w, SIM_FILE);
	file->node = node;
	file->flags = (int)(flags & (O_ACCMODE | O_APPEND | O_NONBLOCK | O_DSYNC));
	return magi_world_fd_add(w, file);
}

static int path_unlink(struct magi_world *w, struct sim_node *dir, const struct magi_req *req)
{
	struct sim_place p;
	int rc = magi_tree_walk(&w->tree, dir, req->addr, false, &p);

	if (rc < 0)
		return rc;
	if (!p.len)
		return req->op_flags & AT_REMOVEDIR ? -EBUSY : -EISDIR;
	if (!p.node)
		return -ENOENT;
	if (magi_node_is_dir(p.node) != !!(req->op_flags & AT_REMOVEDIR))
		return magi_node_is_dir(p.node) ? -EISDIR : -ENOTDIR;
	if (p.node->entries)
		return -ENOTEMPTY;
	rc = disk_fault(w, req->code, false);
	if (rc == 0)
		magi_node_unlink(p.dir, p.name, p.len);
	return rc;
}

static int path_mkdir(struct magi_world *w, struct sim_node *dir, const struct magi_req *req)
{
	struct sim_node *node;
	struct sim_place p;
	int rc = magi_tree_walk(&w->tree, dir, req->addr, false, &p);

	if (rc < 0)
		return rc;
	if (p.node)
		return -EEXIST;
	rc = disk_fault(w, req->code, true);
	if (rc < 0)
		return rc;
	node = magi_node_make(&w->tree, S_IFDIR | (req->op_flags & 07777));
	node->changed = w->now;
	magi_node_link(p.dir, p.name, p.len, node);
	magi_node_drop(node);
	return 0;
}

static bool is_inside(const struct sim_node *dir, const struct sim_node *outer)
{
	while (dir != outer && dir->parent != dir)
		dir = dir->parent;
	return dir == outer;
}

static int may_rename(const struct sim_place *from, const struct sim_place *to)
{
	if (!from->len || !to->len)
		return -EBUSY;
	if (!from->node)
		return -ENOENT;
	if (magi_node_is_dir(from->node)) {
		if (is_inside(to->dir, from->node))
			return -EINVAL;
		if (to->node && !magi_node_is_dir(to->node))
			return -ENOTDIR;
		return to->node && to->node->entries && to->node != from->node ? -ENOTEMPTY : 0;
	}
	if (to->must_be_dir)
		return -ENOTDIR;
	return to->node && magi_node_is_dir(to->node) ? -EISDIR : 0;
}

static int path_rename(struct magi_world *w, struct sim_node *dir, const struct magi_req *req)
{
	struct sim_object *to_dir = (int)req->len == AT_FDCWD ? NULL : magi_world_fd_find(w, (int)req->len);
	struct sim_place from, to;
	int rc = magi_tree_walk(&w->tree, dir, req->addr, false, &from);

	if ((int)req->len != AT_FDCWD && !to_dir)
		return -EBADF;
	if (to_dir && !to_dir->node)
		return -ENOTDIR;
	if (rc == 0)
		rc = magi_tree_walk(&w->tree, to_dir ? to_dir->node : NULL, req->addr2, false, &to);
	if (rc == 0)
		rc = may_rename(&from, &to);
	if (rc == 0 && to.node == from.node)
		return 0;
	if (rc == 0)
		rc = disk_fault(w, req->code, true);
	if (rc < 0)
		return rc;
	from.node->refs++;
	if (to.node)
		magi_node_unlink(to.dir, to.name, to.len);
	magi_node_unlink(from.dir, from.name, from.len);
	magi_node_link(to.dir, to.name, to.len, from.node);
	magi_node_drop(from.node);
	return 0;
}

static int path_stat(struct sim_op *op, struct sim_node *dir)
{
	struct magi_world *w = op->io->world;
	struct sim_object named = { .kind = SIM_FILE, .world = w };
	struct sim_place p;
	int rc = magi_tree_walk(&w->tree, dir, op->req.addr, false, &p);

	if (rc == 0)
		rc = p.node ? disk_fault(w, op->req.code, false) : -ENOENT;
	if (rc < 0)
		return rc;
	named.node = p.node;
	op->bounced = sizeof(struct statx);
	magi_world_status(&named, (struct statx *)(void *)magi_world_bounce(op, sizeof(struct statx)));
	return 0;
}

int magi_world_path_op(struct sim_op *op)
{
	struct magi_world *w = op->io->world;
	struct sim_node *dir = op->object ? op->object->node : NULL;
	const struct magi_req *req = &op->req;
	const struct open_how *how = req->addr2;

	if (op->object && !dir)
		return -ENOTDIR;
	switch (req->code) {
	case MAGI_IO_OPEN:
		return magi_world_file_open(w, dir, req->addr, how->flags, (uint32_t)how->mode, how->resolve);
	case MAGI_IO_UNLINK:
		return path_unlink(w, dir, req);
	case MAGI_IO_MKDIR:
		return path_mkdir(w, dir, req);
	case MAGI_IO_RENAME:
		return path_rename(w, dir, req);
	default:
		return path_stat(op, dir);
	}
}
