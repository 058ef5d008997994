/* SPDX-License-Identifier: MIT */
/* use_structure.c - gathers, resources, transactions and task-local values in a program without extensions; compiled only. */
#include <magpie/gather.h>
#include <magpie/local.h>
#include <magpie/transaction.h>

MAG_LOCAL_KEY(number, const int);
MAG_LOCAL_KEY_EXTERN(text, char);
MAG_LOCAL_KEY_DEFINE(text);

struct thing {
	int n;
};

#define FUNCTION(name, ...)                                           \
	struct name {                                                 \
		mag_frame frame;                                      \
		MAG_ARGS(name, struct thing *resource; __VA_ARGS__);  \
		int64_t rc;                                           \
	};                                                            \
	MAG_TASK(name)                                                \
	{                                                             \
		MAG_BEGIN(name);                                      \
		MAG_YIELD(self->rc);                                  \
		MAG_RETURN(MAG_LOCAL(number) ? self->resource->n : 0); \
		MAG_END;                                              \
	}

FUNCTION(thing_enter, int n;)
FUNCTION(thing_exit, int64_t why;)
FUNCTION(thing_begin, int n;)
FUNCTION(thing_commit, int n;)
FUNCTION(thing_rollback, int64_t why;)

struct all {
	mag_frame frame;
	MAG_NO_ARGS(all);
	mag_gather gather;
	mag_using use, tx;
	mag_local local;
	struct thing things[2];
	int64_t results[2], rc, ended;
	unsigned i;
};

MAG_TASK(all)
{
	MAG_BEGIN(all);
	self->things[0].n = 1;
	MAG_WITH_LOCAL(&self->local, number, &self->things[0].n);
	MAG_GATHER_EACH(self->rc, &self->gather, self->results, 2, self->i, thing_enter, .resource = &self->things[self->i]);
	MAG_SETTLED_BEGIN(&self->gather, self->results, 2, .limit = 1);
	for (self->i = 0; self->i < 2; self->i++)
		MAG_SETTLED_ADD(self->rc, &self->gather, thing_enter, .resource = &self->things[self->i]);
	MAG_SETTLED_END(self->rc, &self->gather);
	MAG_USING_BEGIN(self->rc, &self->use, thing, self->things, .n = 3);
	MAG_TRANSACTION_BEGIN(self->rc, &self->tx, thing, &self->things[1], .n = 3);
	MAG_TRANSACTION_END(self->rc, &self->tx, self->rc);
	MAG_USING_END(self->rc, &self->use, self->rc);
	MAG_LOCAL_END(self->ended, &self->local);
	MAG_RETURN(self->rc);
	MAG_END;
}
