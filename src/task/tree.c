/* SPDX-License-Identifier: MIT */
/* tree.c - who waits for whom, since when and where, in words; seen.c has looked at it before.
 *
 * Always:  tasks that wait at the same place in the same way, and have nothing of their own to show, take one line. */
#include "task/tree.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "task/seen.h"

enum { INDENT_MAX = 24, DEEP_MAX = 1 << 20 };

const mag_site magi_tree_entrance = { NULL, "mag_run or mag_spawn_from", __FILE__, "it was started", __LINE__ };

struct print {
	struct magi_text *text;
	struct magi_look *look;
	uint64_t now; /* ns since the runtime's start */
	bool timed;   /* it is known */
	bool stamped; /* and so is when tasks began to wait */
	uint32_t lines;
	uint32_t numbers;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* A step function is called after the async function that it is of. */
void magi_text_function(struct magi_text *t, const char *step)
{
	static const char suffix[] = "_step";
	size_t n = strlen(step), more = sizeof(suffix) - 1;

	if (n > more && !strcmp(step + n - more, suffix))
		n -= more;
	magi_text_add(t, "%.*s", (int)n, step);
}

static void add_name(struct print *p, const mag_site *site)
{
	magi_text_function(p->text, site->func);
}

void magi_text_place(struct magi_text *t, const mag_site *site)
{
	magi_text_add(t, "%s:%d", base_name(site->file), site->line);
}

static void add_place(struct print *p, const mag_site *site)
{
	magi_text_add(p->text, "  ");
	magi_text_place(p->text, site);
	magi_text_add(p->text, "\n");
	p->lines++;
}

static void begin_line(struct print *p, uint32_t level)
{
	uint32_t n = 2 + 2 * level;

	magi_text_add(p->text, "%*s", (int)(n < 2 * INDENT_MAX ? n : 2 * INDENT_MAX), "");
}

/* The outermost function of a task that is the program's; NULL: it has not begun. */
static uint32_t outermost(const struct magi_seen *r)
{
	uint32_t last = r->calls < MAGI_SEEN_CALLS ? r->calls : MAGI_SEEN_CALLS;

	return last > 1 && r->site[last - 1] == &magi_tree_entrance ? last - 2 : last - 1;
}

static bool since(const struct print *p, uint32_t stamp, uint64_t *ns)
{
	*ns = (uint64_t)(uint32_t)((uint32_t)(p->now / MAGI_NS_PER_MS) + 1 - stamp) * MAGI_NS_PER_MS;
	if (stamp && *ns > UINT64_C(0x7fffffff) * MAGI_NS_PER_MS)
		*ns = 0; /* it has begun after the look */
	return p->stamped && stamp;
}

static void add_since(struct print *p, const struct magi_seen *r)
{
	uint64_t ns;

	if (!since(p, r->stamp, &ns))
		return;
	magi_text_add(p->text, ", ");
	magi_text_ns(p->text, ns);
}

static void add_holder(struct print *p, const struct magi_seen *r)
{
	int32_t i = magi_look_find(p->look, r->holder);
	const struct magi_seen *h = i == MAGI_SEEN_NONE ? NULL : &p->look->seen[i];

	if (!r->holder)
		return;
	magi_text_add(p->text, ", held by ");
	if (!h || !h->calls || !h->site[outermost(h)]) {
		magi_text_add(p->text, "a task that has never waited");
		return;
	}
	add_name(p, h->site[outermost(h)]);
	magi_text_add(p->text, " [%u]", h->number);
}

/* What its innermost function waits for. */
static void add_what(struct print *p, const struct magi_seen *r)
{
	struct magi_text *t = p->text;
	const mag_site *site = r->site[0];

	if (r->how == MAGI_SEEN_RUNS && site && !r->moves && strncmp(site->what, "MAG_", 4)) {
		magi_text_add(t, "runs, or is about to, after %s", site->what);
		return;
	}
	magi_text_add(t, "%s", site->what);
	if (r->how == MAGI_SEEN_IO && r->fd >= 0)
		magi_text_add(t, ", fd %d", r->fd);
	add_holder(p, r);
	add_since(p, r);
	if (r->how == MAGI_SEEN_SLEEPS && p->timed && r->deadline != MAGI_NEVER) {
		uint64_t end = r->deadline - p->look->rt->began;

		magi_text_add(t, ", for ");
		magi_text_ns(t, end > p->now ? end - p->now : 0);
		magi_text_add(t, " more");
	}
	if (r->cancelled)
		magi_text_add(t, ", cancelled");
	if (r->moves)
		magi_text_add(t, ", moves");
}

static void print_task(struct print *p, const struct magi_seen *r)
{
	uint32_t level = r->level;

	for (int32_t i = (int32_t)outermost(r); i >= 0; i--) {
		const mag_site *site = r->site[i];

		begin_line(p, level++);
		if (!site) {
			magi_text_add(p->text, "a function that has not begun\n");
			p->lines++;
			return;
		}
		add_name(p, site);
		if (i == (int32_t)outermost(r) && r->number)
			magi_text_add(p->text, " [%u]", r->number);
		magi_text_add(p->text, ": ");
		if (i > 0)
			magi_text_add(p->text, "calls %s", site->what);
		else
			add_what(p, r);
		add_place(p, site);
		if (i == MAGI_SEEN_CALLS - 1 && r->calls > MAGI_SEEN_CALLS) {
			begin_line(p, level++);
			magi_text_add(p->text, "... %u calls\n", r->calls - MAGI_SEEN_CALLS);
			p->lines++;
		}
	}
}

static void print_scope(struct print *p, const struct magi_seen *r)
{
	struct magi_text *t = p->text;
	const mag_site *site = r->site[0];

	begin_line(p, r->level);
	if (!site) {
		magi_text_add(t, "a scope\n");
		p->lines++;
		return;
	}
	magi_text_add(t, "%s %s", r->group ? "group" : r->shield ? "shield" : "scope", site->what);
	if (r->group)
		magi_text_add(t, ", %" PRId64 " task%s", r->members, r->members == 1 ? "" : "s");
	if (r->limit)
		magi_text_add(t, ", limit %u", r->limit);
	if (r->deadline && r->deadline != MAGI_NEVER && p->timed) {
		uint64_t end = r->deadline - p->look->rt->began;

		magi_text_add(t, ", ends in ");
		magi_text_ns(t, end > p->now ? end - p->now : 0);
	}
	if (r->cancelled)
		magi_text_add(t, ", cancelled");
	add_place(p, site);
}

/* Tasks that look the same. */

/* The one scope below it, or NULL. */
static struct magi_seen *scope_of(const struct magi_look *l, const struct magi_seen *r)
{
	struct magi_seen *s = r->first == MAGI_SEEN_NONE ? NULL : &l->seen[r->first];

	return s && s->how == MAGI_SEEN_SCOPE && s->first == MAGI_SEEN_NONE && s->next == MAGI_SEEN_NONE ? s : NULL;
}

/* It has nothing to show but itself, and a scope perhaps. */
static bool alone(const struct magi_look *l, const struct magi_seen *r)
{
	return r->how != MAGI_SEEN_SCOPE && !r->number && (r->first == MAGI_SEEN_NONE || scope_of(l, r));
}

static bool alike(const struct magi_look *l, const struct magi_seen *a, const struct magi_seen *b)
{
	const struct magi_seen *in_a = scope_of(l, a), *in_b = scope_of(l, b);
	uint32_t n = a->calls < MAGI_SEEN_CALLS ? a->calls : MAGI_SEEN_CALLS;

	return a->calls == b->calls && a->how == b->how && a->holder == b->holder && a->cancelled == b->cancelled &&
	       !memcmp(a->site, b->site, n * sizeof(a->site[0])) && alone(l, b) && !in_a == !in_b &&
	       (!in_a || in_a->site[0] == in_b->site[0]);
}

/* Its scope, and those behind it that are alike, in one line. */
static void print_alike(struct print *p, const struct magi_seen *r)
{
	uint64_t least = UINT64_MAX, most = 0, ns;
	struct magi_seen *scope = scope_of(p->look, r);
	uint32_t n = 0;

	if (scope) {
		print_scope(p, scope);
		scope->told = true;
	}

	for (int32_t i = r->next; i != MAGI_SEEN_NONE; i = p->look->seen[i].next) {
		struct magi_seen *o = &p->look->seen[i];

		if (o->told || !alike(p->look, r, o))
			continue;
		o->told = true;
		if (scope_of(p->look, o))
			scope_of(p->look, o)->told = true;
		n++;
		if (since(p, o->stamp, &ns)) {
			least = ns < least ? ns : least;
			most = ns > most ? ns : most;
		}
	}
	if (!n)
		return;
	begin_line(p, r->level);
	magi_text_add(p->text, "... and %u more like it", n);
	if (least <= most) {
		magi_text_add(p->text, ", ");
		magi_text_ns(p->text, least);
		if (most > least) {
			magi_text_add(p->text, " to ");
			magi_text_ns(p->text, most);
		}
	}
	magi_text_add(p->text, "\n");
	p->lines++;
}

/* Circles. */

static int32_t held_by(const struct magi_look *l, int32_t i)
{
	return magi_look_find(l, l->seen[i].holder);
}

/* Says so when each of some tasks holds what the one before waits for. */
static void print_circle(struct print *p)
{
	struct magi_look *l = p->look;

	for (int32_t i = 0; i < (int32_t)l->n; i++) {
		int32_t at = held_by(l, i);
		uint32_t steps = 1;

		while (at != MAGI_SEEN_NONE && at != i && steps++ < l->n && steps < 64)
			at = held_by(l, at);
		if (at != i || !l->seen[i].holder)
			continue;
		magi_text_add(p->text, "  a circle: ");
		for (uint32_t k = 0; k <= steps; k++, at = held_by(l, at)) {
			magi_text_add(p->text, k > 1 ? ", which waits for " : k ? " waits for " : "");
			add_name(p, l->seen[at].site[outermost(&l->seen[at])]);
			magi_text_add(p->text, " [%u]", l->seen[at].number);
		}
		magi_text_add(p->text, "\n");
		return;
	}
}

/* All. */

/* Levels, and numbers for those that others name, in the order of printing. */
static uint32_t number(struct print *p)
{
	struct magi_look *l = p->look;
	uint32_t tasks = 0;

	for (uint32_t i = 0; i < l->n; i++) {
		int32_t h = held_by(l, (int32_t)i);

		if (h != MAGI_SEEN_NONE)
			l->seen[h].number = 1;
	}
	for (int32_t i = magi_look_next(l, MAGI_SEEN_NONE); i != MAGI_SEEN_NONE; i = magi_look_next(l, i)) {
		struct magi_seen *r = &l->seen[i];
		struct magi_seen *up = r->up == MAGI_SEEN_NONE ? NULL : &l->seen[r->up];
		uint32_t calls = up && up->how != MAGI_SEEN_SCOPE && up->calls ? outermost(up) + 1 : 1;

		r->level = up ? up->level + (calls < DEEP_MAX ? calls : 1) : 0;
		tasks += r->how != MAGI_SEEN_SCOPE;
		if (r->number)
			r->number = ++p->numbers;
	}
	return tasks;
}

static void print_all(struct print *p)
{
	struct magi_look *l = p->look;

	for (int32_t i = magi_look_next(l, MAGI_SEEN_NONE); i != MAGI_SEEN_NONE; i = magi_look_next(l, i)) {
		struct magi_seen *r = &l->seen[i];

		if (r->told)
			continue;
		if (p->lines >= MAGI_TREE_LINES || p->text->full) {
			l->more = true;
			break;
		}
		if (r->how == MAGI_SEEN_SCOPE) {
			print_scope(p, r);
		} else {
			print_task(p, r);
			if (alone(l, r))
				print_alike(p, r);
		}
	}
	if (l->more)
		magi_text_add(p->text, "  ... and more\n");
}

void magi_tree_add(struct magi_text *t, mag_runtime *rt, uint64_t now, bool simulated)
{
	struct magi_look look;
	struct print p = { .text = t, .look = &look, .timed = now != 0, .stamped = now && !simulated };
	uint32_t seen;

	if (magi_look_begin(&look, rt, !simulated) < 0) {
		magi_text_add(t, "  no memory to look at the tasks\n");
		return;
	}
	p.now = now - rt->began;
	seen = number(&p);
	magi_text_add(t, "tasks that have waited so far: %u%s\n", seen, look.more ? " and more" : "");
	print_all(&p);
	print_circle(&p);
	magi_look_end(&look);
}
