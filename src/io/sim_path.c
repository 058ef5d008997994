/* SPDX-License-Identifier: MIT */
/* sim_path.c - from a path to a node, and back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "io/sim_tree.h"

enum { NAME_BYTES = 255 };

struct walk {
	struct sim_tree *tree;
	struct sim_node *from;
	bool beneath;
};

/* Goes through "." and ".."; 1: it was another name. */
static int step_special(const struct walk *w, struct sim_place *p)
{
	if (p->len == 1 && p->name[0] == '.') {
		p->node = p->dir;
		return 0;
	}
	if (p->len != 2 || p->name[0] != '.' || p->name[1] != '.')
		return 1;
	if (w->beneath && p->dir == w->from)
		return -EXDEV;
	p->node = p->dir->parent;
	return p->node ? 0 : -ENOENT;
}

/* One part of the path, in p->dir: a node, or NULL. */
static int step(const struct walk *w, struct sim_place *p)
{
	int rc;

	if (p->len > NAME_BYTES)
		return -ENAMETOOLONG;
	if (!magi_node_is_dir(p->dir))
		return -ENOTDIR;
	rc = step_special(w, p);
	if (rc == 0) {
		p->dir = p->node;
		p->len = 0;
	} else if (rc == 1) {
		p->node = magi_node_find(p->dir, p->name, p->len);
		rc = 0;
	}
	return rc;
}

int magi_tree_walk(struct sim_tree *tree, struct sim_node *from, const char *path, bool beneath,
		   struct sim_place *place)
{
	struct sim_node *root = magi_tree_root(tree);
	struct walk w = { tree, from ? from : root, beneath };

	if (!*path)
		return -ENOENT;
	if (*path == '/' && beneath)
		return -EXDEV;
	*place = (struct sim_place){ .dir = *path == '/' ? root : w.from };
	place->node = place->dir;
	while (*path == '/')
		path++;
	if (!magi_node_is_dir(place->dir))
		return -ENOTDIR;
	while (*path) {
		int rc;

		if (!place->node)
			return -ENOENT;
		place->dir = place->node;
		place->name = path;
		place->len = strcspn(path, "/");
		path += place->len;
		rc = step(&w, place);
		if (rc < 0)
			return rc;
		place->must_be_dir = *path == '/';
		while (*path == '/')
			path++;
	}
	if (!place->node && !place->dir->parent) /* that was removed */
		return -ENOENT;
	if (place->must_be_dir && place->node && !magi_node_is_dir(place->node))
		return -ENOTDIR;
	return 0;
}

static bool find_text(struct sim_node *dir, const struct sim_node *node, char *text, size_t size)
{
	for (struct sim_entry *e = dir->entries; e; e = e->next) {
		int n = snprintf(text, size, "/%s", e->name);

		if ((size_t)n >= size)
			continue;
		if (e->node == node)
			return true;
		if (magi_node_is_dir(e->node) && find_text(e->node, node, text + n, size - (size_t)n))
			return true;
	}
	return false;
}

void magi_tree_text(struct sim_tree *tree, const struct sim_node *node, char *text, size_t size)
{
	if (node == tree->root)
		snprintf(text, size, "/");
	else if (!tree->root || !find_text(tree->root, node, text, size))
		snprintf(text, size, "(no name)");
}
