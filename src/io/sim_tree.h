/* SPDX-License-Identifier: MIT */
/* sim_tree.h - the files of a simulated world.
 *
 * A node is a file, a directory or a socket's name. Each file keeps the contents that were last synced, each directory
 * the entries: a power cut leaves those.
 *
 * Who:     whoever has entered the world.
 * Always:  a node lives while an entry, now or synced, or an open file refers to it. */
#ifndef MAGI_IO_SIM_TREE_H
#define MAGI_IO_SIM_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

struct sim_object;

struct sim_entry {
	struct sim_entry *next;
	struct sim_node *node;
	char name[];
};

struct sim_node {
	uint32_t refs;
	uint32_t links; /* entries that name it now */
	uint32_t mode;  /* S_IFREG, S_IFDIR, S_IFSOCK or S_IFCHR, and permissions */
	uint64_t number;
	uint64_t cut; /* the last that has come to it */
	uint64_t changed; /* when, in ns */
	char *bytes, *kept; /* kept: as synced */
	size_t size, room, kept_size;
	struct sim_node *parent;  /* of a directory that has an entry */
	struct sim_entry *entries, *kept_entries;
	struct sim_object *owner; /* the socket that is bound here */
};

struct sim_tree {
	struct sim_node *root;
	uint64_t next_number;
	uint64_t cuts; /* of power, so far */
};

/* Makes "/", "/tmp" and "/dev/null" if they are not there yet. */
struct sim_node *magi_tree_root(struct sim_tree *tree);
void magi_tree_destroy(struct sim_tree *tree);
/* What was not synced is gone; with dice: of each file, and of all directories together, or it is not. */
void magi_tree_power_cut(struct sim_tree *tree, struct magi_random *dice);

/* With one reference. */
struct sim_node *magi_node_make(struct sim_tree *tree, uint32_t mode);
void magi_node_drop(struct sim_node *node);
struct sim_node *magi_node_find(struct sim_node *dir, const char *name, size_t len);
void magi_node_link(struct sim_node *dir, const char *name, size_t len, struct sim_node *node);
/* The entry goes; the node, too, when nothing else has it. */
void magi_node_unlink(struct sim_node *dir, const char *name, size_t len);
bool magi_node_is_dir(const struct sim_node *node);
/* Makes it that long; what is new is zero. */
void magi_node_resize(struct sim_node *node, size_t size);
/* What there is now is there after a power cut. */
void magi_node_sync(struct sim_node *node);
/* What was not synced is lost at once. */
void magi_node_forget(struct sim_node *node);

/* Where a path leads: the directory of its last part, that part, and the node there if there is one. */
struct sim_place {
	struct sim_node *dir, *node;
	const char *name;
	size_t len;      /* 0: the path is a directory that has no name here: "/", ".", ".." */
	bool must_be_dir;
};

/* Walks from `from`, or from the root. 0, -ENOENT (not for the last part), -ENOTDIR, -ENAMETOOLONG, -EXDEV: beneath,
 * but it leads out. */
int magi_tree_walk(struct sim_tree *tree, struct sim_node *from, const char *path, bool beneath,
		   struct sim_place *place);
/* The path of a node, for people. */
void magi_tree_text(struct sim_tree *tree, const struct sim_node *node, char *text, size_t size);

#endif
