/* SPDX-License-Identifier: MIT */
/* fork_join.c - the sum of an array, split in two until the pieces are small; idle workers steal the larger pieces. */
#include <magpie/magpie.h>
#include <stdio.h>

enum { COUNT = 1 << 20, SMALL = 4096 };

static uint32_t numbers[COUNT];

struct sum {
	mag_frame frame;
	MAG_ARGS(sum, const uint32_t *from; size_t count; uint64_t *out;);
	uint64_t left, right;
	int64_t rc;
};

static uint64_t sum_here(const uint32_t *from, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += from[i];
	return total;
}

MAG_TASK(sum)
{
	MAG_BEGIN(sum);
	if (self->count <= SMALL) {
		*self->out = sum_here(self->from, self->count);
		MAG_RETURN(0);
	}
	MAG_FORK(sum, .from = self->from, .count = self->count / 2, .out = &self->left);
	MAG_CALL(self->rc, sum, .from = self->from + self->count / 2, .count = self->count - self->count / 2,
		 .out = &self->right);
	if (self->rc < 0)
		MAG_RETURN(self->rc); /* joins the forked half first */
	MAG_JOIN(self->rc);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	*self->out = self->left + self->right;
	MAG_RETURN(0);
	MAG_END;
}

int main(void)
{
	uint64_t total = 0, want = 0;
	int64_t rc;

	for (size_t i = 0; i < COUNT; i++) {
		numbers[i] = (uint32_t)i * 2654435761u;
		want += numbers[i];
	}
	rc = mag_run(NULL, sum, .from = numbers, .count = COUNT, .out = &total);
	if (rc < 0) {
		fprintf(stderr, "fork_join: %s %s\n", mag_strerror(rc), mag_runtime_why());
		return 1;
	}
	printf("the sum of %d numbers is %llu\n", COUNT, (unsigned long long)total);
	return total != want;
}
