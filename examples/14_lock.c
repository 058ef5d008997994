/* SPDX-License-Identifier: MIT */
/* 14_lock.c - a price that is fetched when it is needed: without a lock, with a mutex, with a reader-writer lock. */
#include <errno.h>
#include <magpie/magpie.h>
#include <stdio.h>

enum { ASKING = 8 };

struct price {
	mag_mutex mutex;
	mag_rwlock rwlock;
	int value; /* 0: not known */
	int fetches, reading, most_reading;
};

/* As slow as a server far away. */
struct fetch {
	mag_frame frame;
	MAG_ARGS(fetch, struct price *price;);
	int64_t rc;
};

MAG_TASK(fetch)
{
	MAG_BEGIN(fetch);
	self->price->fetches++;
	MAG_AWAIT(self->rc, mag_sleep, 2 * MAG_MILLISECOND);
	if (self->rc == 0)
		self->price->value = 42;
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Wrong: between the look and the fetch's end others look, too. */
struct ask_unlocked {
	mag_frame frame;
	MAG_ARGS(ask_unlocked, struct price *price;);
	int64_t rc;
};

MAG_TASK(ask_unlocked)
{
	MAG_BEGIN(ask_unlocked);
	self->rc = 0;
	if (!self->price->value)
		MAG_CALL(self->rc, fetch, .price = self->price);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Look, fetch and store are one: the mutex is held across the await. */
struct ask {
	mag_frame frame;
	MAG_ARGS(ask, struct price *price;);
	int64_t rc;
};

MAG_TASK(ask)
{
	MAG_BEGIN(ask);
	MAG_AWAIT(self->rc, mag_mutex_lock, &self->price->mutex);
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* cancelled: it is not held */
	if (!self->price->value)
		MAG_CALL(self->rc, fetch, .price = self->price);
	mag_mutex_unlock(&self->price->mutex);
	MAG_RETURN(self->rc);
	MAG_END;
}

/* Who finds it reads, many at a time, also across awaits; who does not writes. */
struct read_or_fetch {
	mag_frame frame;
	MAG_ARGS(read_or_fetch, struct price *price;);
	int64_t rc;
};

MAG_TASK(read_or_fetch)
{
	MAG_BEGIN(read_or_fetch);
	MAG_AWAIT(self->rc, mag_rwlock_lock_read, &self->price->rwlock);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	if (!self->price->value) {
		mag_rwlock_unlock_read(&self->price->rwlock);
		MAG_AWAIT(self->rc, mag_rwlock_lock_write, &self->price->rwlock);
		if (self->rc < 0)
			MAG_RETURN(self->rc);
		if (!self->price->value) /* again: somebody may have been faster */
			MAG_CALL(self->rc, fetch, .price = self->price);
		mag_rwlock_downgrade(&self->price->rwlock); /* goes on as a reader, with no writer between */
	}
	if (++self->price->reading > self->price->most_reading)
		self->price->most_reading = self->price->reading;
	if (self->rc == 0)
		MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	self->price->reading--;
	mag_rwlock_unlock_read(&self->price->rwlock);
	MAG_RETURN(self->rc);
	MAG_END;
}

enum way { UNLOCKED, MUTEX, RWLOCK };

struct all_ask {
	mag_frame frame;
	MAG_ARGS(all_ask, struct price *price; enum way way;);
	mag_group group;
	int64_t rc;
	int i;
};

MAG_TASK(all_ask)
{
	MAG_BEGIN(all_ask);
	*self->price = (struct price){ .mutex = MAG_MUTEX_INIT, .rwlock = MAG_RWLOCK_INIT };
	MAG_GROUP_BEGIN(&self->group);
	for (self->i = 0; self->i < ASKING; self->i++) {
		if (self->way == UNLOCKED)
			MAG_SPAWN(self->rc, &self->group, ask_unlocked, .price = self->price);
		else if (self->way == MUTEX)
			MAG_SPAWN(self->rc, &self->group, ask, .price = self->price);
		else
			MAG_SPAWN(self->rc, &self->group, read_or_fetch, .price = self->price);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

struct shop {
	mag_frame frame;
	MAG_NO_ARGS(shop);
	struct price price;
	int64_t rc;
	int without;
};

MAG_TASK(shop)
{
	MAG_BEGIN(shop);
	MAG_CALL(self->rc, all_ask, .price = &self->price, .way = UNLOCKED);
	self->without = self->price.fetches;
	if (self->rc == 0)
		MAG_CALL(self->rc, all_ask, .price = &self->price, .way = MUTEX);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	printf("%d asked: %d fetches without a lock, %d with a mutex\n", ASKING, self->without, self->price.fetches);
	if (self->without < 2 || self->price.fetches != 1)
		MAG_RETURN(-EPROTO);
	MAG_CALL(self->rc, all_ask, .price = &self->price, .way = RWLOCK);
	printf("%d fetch with a reader-writer lock, and %d read at once\n", self->price.fetches,
	       self->price.most_reading);
	MAG_RETURN(self->rc < 0 || self->price.fetches != 1 || self->price.most_reading < 2 ? -EPROTO : 0);
	MAG_END;
}

/* One worker, since the way without a lock is wrong: on several it would be a race in the sense of C, too. */
int main(void)
{
	const mag_runtime_options options = { .size = sizeof(options), .workers = 1 };
	int64_t rc = mag_run(&options, shop);

	if (rc < 0)
		fprintf(stderr, "14_lock: %s %s\n", mag_strerror(rc), mag_runtime_why());
	return rc < 0;
}
