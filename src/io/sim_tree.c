/* SPDX-License-Identifier: MIT */
/* sim_tree.c - nodes and entries of the simulated files; sim_tree.h has the rules. */
#include "io/sim_tree.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "io/sim_world.h"

struct sim_node *magi_node_make(struct sim_tree *tree, uint32_t mode)
{
	struct sim_node *node = magi_world_new(sizeof(*node));

	node->refs = 1;
	node->mode = mode;
	node->number = ++tree->next_number;
	return node;
}

bool magi_node_is_dir(const struct sim_node *node)
{
	return S_ISDIR(node->mode);
}

static void drop_entries(struct sim_entry **first)
{
	struct sim_entry *e;

	while ((e = *first)) {
		*first = e->next;
		magi_node_drop(e->node);
		free(e);
	}
}

void magi_node_drop(struct sim_node *node)
{
	if (--node->refs)
		return;
	drop_entries(&node->entries);
	drop_entries(&node->kept_entries);
	free(node->bytes);
	free(node->kept);
	free(node);
}

static struct sim_entry **find(struct sim_node *dir, const char *name, size_t len)
{
	struct sim_entry **link = &dir->entries;

	while (*link && (strncmp((*link)->name, name, len) || (*link)->name[len]))
		link = &(*link)->next;
	return link;
}

struct sim_node *magi_node_find(struct sim_node *dir, const char *name, size_t len)
{
	struct sim_entry *e = *find(dir, name, len);

	return e ? e->node : NULL;
}

static struct sim_entry *entry(const char *name, size_t len, struct sim_node *node)
{
	struct sim_entry *e = magi_world_new(sizeof(*e) + len + 1);

	memcpy(e->name, name, len);
	e->node = node;
	node->refs++;
	return e;
}

void magi_node_link(struct sim_node *dir, const char *name, size_t len, struct sim_node *node)
{
	*find(dir, name, len) = entry(name, len, node);
	node->links++;
	if (magi_node_is_dir(node))
		node->parent = dir;
}

void magi_node_unlink(struct sim_node *dir, const char *name, size_t len)
{
	struct sim_entry **link = find(dir, name, len), *e = *link;

	*link = e->next;
	e->node->links--; /* there are no hard links */
	e->node->parent = NULL;
	magi_node_drop(e->node);
	free(e);
}

void magi_node_resize(struct sim_node *node, size_t size)
{
	if (size > node->room) {
		size_t room = size < 2 * node->room ? 2 * node->room : size;
		char *bytes = magi_world_new(room);

		if (node->size)
			memcpy(bytes, node->bytes, node->size);
		free(node->bytes);
		node->bytes = bytes;
		node->room = room;
	}
	if (size > node->size)
		memset(node->bytes + node->size, 0, size - node->size);
	node->size = size;
}

static struct sim_entry *copy(const struct sim_entry *from)
{
	struct sim_entry *first = NULL, **link = &first;

	for (; from; from = from->next) {
		*link = entry(from->name, strlen(from->name), from->node);
		link = &(*link)->next;
	}
	return first;
}

void magi_node_sync(struct sim_node *node)
{
	struct sim_entry *was = node->kept_entries;

	node->kept_entries = copy(node->entries);
	drop_entries(&was);
	free(node->kept);
	node->kept = NULL;
	node->kept_size = node->size;
	if (node->size) {
		node->kept = magi_world_new(node->size);
		memcpy(node->kept, node->bytes, node->size);
	}
}

void magi_node_forget(struct sim_node *node)
{
	if (magi_node_is_dir(node))
		return;
	magi_node_resize(node, node->kept_size);
	if (node->kept_size)
		memcpy(node->bytes, node->kept, node->kept_size);
}

struct cut {
	struct magi_random *dice; /* NULL: what was not synced is lost */
	uint64_t number;          /* of this cut: nodes that have it are done */
	bool directories;         /* lose what was not synced */
};

/* Whether it stays where this entry has it. Directories that were renamed, and half synced, may have two names now, or lie
 * in each other: the first that is come to counts. */
static bool stays(struct sim_node *node, const struct cut *cut)
{
	if (node->cut != cut->number) {
		node->links = 1;
		return true;
	}
	if (magi_node_is_dir(node))
		return false;
	node->links++;
	return true;
}

/* Nothing is open: what is not reached from the root by entries that are left goes. What stays is on the medium. */
static void restore(struct sim_node *node, const struct cut *cut)
{
	struct sim_entry *was = node->entries, **link = &node->entries;

	node->cut = cut->number;
	if (!magi_node_is_dir(node)) {
		if (!cut->dice || magi_random_below(cut->dice, 2))
			magi_node_forget(node);
		magi_node_sync(node);
		return;
	}
	node->entries = copy(cut->directories ? node->kept_entries : was);
	while (*link) {
		struct sim_entry *e = *link;
		bool first = e->node->cut != cut->number;

		if (!stays(e->node, cut)) {
			*link = e->next;
			magi_node_drop(e->node);
			free(e);
			continue;
		}
		if (magi_node_is_dir(e->node))
			e->node->parent = node;
		if (first)
			restore(e->node, cut);
		link = &e->next;
	}
	magi_node_sync(node);
	drop_entries(&was);
}

void magi_tree_power_cut(struct sim_tree *tree, struct magi_random *dice)
{
	struct cut cut = { .dice = dice, .number = ++tree->cuts, .directories = !dice || magi_random_below(dice, 2) };

	if (tree->root)
		restore(tree->root, &cut);
}

struct sim_node *magi_tree_root(struct sim_tree *tree)
{
	static const struct {
		const char *name;
		uint32_t mode;
	} first[] = { { "tmp", S_IFDIR | 01777 }, { "dev", S_IFDIR | 0755 } };
	struct sim_node *node;

	if (tree->root)
		return tree->root;
	tree->root = magi_node_make(tree, S_IFDIR | 0755);
	tree->root->parent = tree->root;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		node = magi_node_make(tree, first[i].mode);
		magi_node_link(tree->root, first[i].name, strlen(first[i].name), node);
		magi_node_drop(node);
	}
	node = magi_node_make(tree, S_IFCHR | 0666);
	magi_node_link(magi_node_find(tree->root, "dev", 3), "null", 4, node);
	magi_node_drop(node);
	magi_node_sync(magi_node_find(tree->root, "dev", 3));
	magi_node_sync(tree->root);
	return tree->root;
}

void magi_tree_destroy(struct sim_tree *tree)
{
	if (tree->root)
		magi_node_drop(tree->root);
	tree->root = NULL;
}
