/* SPDX-License-Identifier: MIT */
/* use_task.c - the verbs as a program without extensions writes them; compiled only. */
#include <magpie/task.h>

struct leaf {
	mag_frame frame;
	MAG_ARGS(leaf, int n; int64_t *out;);
	int64_t rc;
};

MAG_TASK(leaf)
{
	MAG_BEGIN(leaf);
	switch (self->n) {
	case 0:
		MAG_YIELD(self->rc);
		break;
	default:
		*self->out = self->n;
	}
	MAG_RETURN(0);
	MAG_END;
}

struct tree {
	mag_frame frame;
	MAG_ARGS(tree, int n;);
	int64_t rc, left, right;
};

MAG_DECLARE_TASK(tree);

MAG_TASK(tree)
{
	MAG_BEGIN(tree);
	while (self->n-- > 0)
		MAG_FORK(leaf, .n = self->n, .out = &self->left);
	MAG_CALL(self->rc, leaf, .n = 1, .out = &self->right);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_JOIN(self->rc);
	MAG_RETURN(self->left + self->right);
	MAG_END;
}
