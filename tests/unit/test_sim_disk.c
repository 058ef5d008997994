/* SPDX-License-Identifier: MIT */
/* test_sim_disk.c - what one simulated run leaves on its disk, and a power cut leaves of that, the next one finds. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <magpie/magpie.h>
#include <magpie/sim.h>
#include <stdio.h>
#include <string.h>

#include "support/broken_off.h"

/* Replaces a file's contents so that there are always all of the old or all of the new ones; or not quite. */

enum care { CAREFUL, NO_FILE_SYNC, IN_PLACE };

struct save {
	mag_frame frame;
	MAG_ARGS(save, enum care care; const char *text;);
	mag_fd fd;
	const char *name;
	int64_t rc, done;
};

MAG_TASK(save)
{
	MAG_BEGIN(save);
	self->name = self->care == IN_PLACE ? "/tmp/file" : "/tmp/new";
	MAG_AWAIT(self->rc, mag_open, self->name, O_WRONLY | O_CREAT | O_TRUNC, 0600, &self->fd);
	mag_sim_assert(self->rc == 0);
	MAG_AWAIT(self->rc, mag_write_all, self->fd, self->text, strlen(self->text), 0, NULL);
	if (self->care != NO_FILE_SYNC)
		MAG_AWAIT(self->rc, mag_fsync, self->fd);
	MAG_AWAIT(self->done, mag_close, self->fd);
	if (self->care != IN_PLACE) {
		MAG_AWAIT(self->rc, mag_rename, "/tmp/new", "/tmp/file");
		mag_sim_assert(self->rc == 0);
	}
	MAG_AWAIT(self->rc, mag_open, "/tmp", O_RDONLY | O_DIRECTORY, 0, &self->fd);
	MAG_AWAIT(self->rc, mag_fsync, self->fd);
	MAG_AWAIT(self->done, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct load {
	mag_frame frame;
	MAG_ARGS(load, char *text; size_t room;);
	mag_fd fd;
	int64_t rc;
	size_t n;
};

MAG_TASK(load)
{
	MAG_BEGIN(load);
	MAG_AWAIT(self->rc, mag_open, "/tmp/file", O_RDONLY, 0, &self->fd);
	if (self->rc < 0)
		MAG_RETURN(self->rc);
	MAG_AWAIT(self->rc, mag_read_all, self->fd, self->text, self->room - 1, 0, &self->n);
	self->text[self->n] = 0;
	MAG_AWAIT(self->rc, mag_close, self->fd);
	MAG_RETURN(0);
	MAG_END;
}

struct goes_out {
	mag_frame frame;
	MAG_NO_ARGS(goes_out);
	int64_t rc;
};

MAG_TASK(goes_out)
{
	MAG_BEGIN(goes_out);
	MAG_AWAIT(self->rc, mag_sleep, MAG_MILLISECOND);
	mag_sim_power_cut();
	MAG_RETURN(0);
	MAG_END;
}

struct nest {
	mag_frame frame;
	MAG_NO_ARGS(nest);
	mag_fd fd;
	int64_t rc, done;
};

MAG_TASK(nest)
{
	MAG_BEGIN(nest);
	MAG_AWAIT(self->rc, mag_mkdir, "/a", 0700);
	MAG_AWAIT(self->rc, mag_mkdir, "/b", 0700);
	MAG_AWAIT(self->rc, mag_open, "/", O_RDONLY | O_DIRECTORY, 0, &self->fd);
	MAG_AWAIT(self->rc, mag_fsync, self->fd);
	MAG_AWAIT(self->done, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_rename, "/a", "/b/a");
	MAG_AWAIT(self->rc, mag_open, "/b", O_RDONLY | O_DIRECTORY, 0, &self->fd);
	MAG_AWAIT(self->rc, mag_fsync, self->fd);
	MAG_AWAIT(self->done, mag_close, self->fd);
	MAG_AWAIT(self->rc, mag_rename, "/b/a", "/a");
	MAG_AWAIT(self->rc, mag_rename, "/b", "/a/b");
	mag_sim_assert(self->rc == 0);
	mag_sim_power_cut();
	MAG_RETURN(0);
	MAG_END;
}

/* What is in it can be made and removed as anywhere. */
struct clear {
	mag_frame frame;
	MAG_NO_ARGS(clear);
	int64_t rc;
	int names;
};

MAG_TASK(clear)
{
	MAG_BEGIN(clear);
	self->names = 0;
	MAG_AWAIT(self->rc, mag_rmdir, "/a/b");
	self->names += self->rc == 0;
	MAG_AWAIT(self->rc, mag_rmdir, "/b/a");
	self->names += self->rc == 0;
	MAG_AWAIT(self->rc, mag_rmdir, "/a");
	self->names += self->rc == 0;
	MAG_AWAIT(self->rc, mag_rmdir, "/b");
	self->names += self->rc == 0;
	mag_sim_assert(self->names == 2);
	MAG_AWAIT(self->rc, mag_mkdir, "/a", 0700);
	mag_sim_assert(self->rc == 0);
	MAG_AWAIT(self->rc, mag_mkdir, "/a/b", 0700);
	mag_sim_assert(self->rc == 0);
	MAG_RETURN(0);
	MAG_END;
}

enum { SEEDS = 300 };

/* How many seeds lose both texts; *cuts: in how many the power went. */
static int lost(enum care care, int *cuts)
{
	char text[32];
	int n = 0;

	leaves_things_behind();
	*cuts = 0;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		mag_sim_disk *disk = mag_sim_disk_create();
		mag_sim_options whole = { .size = sizeof(whole), .disk = disk }, cut = whole;
		mag_sim_result r;

		cut.power_cut = true;
		cr_assert_eq(mag_sim_run(seed, &whole, save, .care = CAREFUL, .text = "the old"), 0);
		cr_assert_eq(mag_sim_run_into(&r, seed, &cut, save, .care = care, .text = "a new one"), 0);
		*cuts += r.power_cut;
		cr_assert_geq(mag_sim_run(seed, &whole, load, .text = text, .room = sizeof(text)), 0);
		n += strcmp(text, "the old") != 0 && strcmp(text, "a new one") != 0;
		if (!r.power_cut)
			cr_assert_str_eq(text, "a new one");
		mag_sim_disk_destroy(disk);
	}
	return n;
}

Test(sim_disk, who_syncs_loses_nothing_to_a_power_cut, .timeout = 60)
{
	int cuts;

	cr_assert_eq(lost(CAREFUL, &cuts), 0);
	cr_assert_gt(cuts, SEEDS / 20);
}

/* Tried: a cut that keeps everything, one that loses everything. */
Test(sim_disk, who_does_not_sync_is_found_out, .timeout = 60)
{
	int cuts;

	cr_assert_gt(lost(NO_FILE_SYNC, &cuts), 0);
	cr_assert_gt(lost(IN_PLACE, &cuts), 0);
}

/* What was there after one cut is there after the next. */
Test(sim_disk, what_is_left_is_on_the_medium, .timeout = 60)
{
	char one[32], two[32];

	leaves_things_behind();
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		mag_sim_disk *disk = mag_sim_disk_create();
		mag_sim_options whole = { .size = sizeof(whole), .disk = disk }, cut = whole;
		int64_t first, second;
		mag_sim_result r;

		cut.power_cut = true;
		cr_assert_eq(mag_sim_run(seed, &whole, save, .care = CAREFUL, .text = "the old"), 0);
		cr_assert_eq(mag_sim_run_into(&r, seed, &cut, save, .care = NO_FILE_SYNC, .text = "a new one"), 0);
		if (!r.power_cut)
			cr_assert_eq(mag_sim_run(seed, &whole, goes_out), 0);
		whole.quiet = true;
		first = mag_sim_run(seed, &whole, load, .text = one, .room = sizeof(one));
		cr_assert_eq(mag_sim_run(seed, &whole, goes_out), 0);
		second = mag_sim_run(seed, &whole, load, .text = two, .room = sizeof(two));
		cr_assert_eq(first, second);
		cr_assert(first < 0 || strcmp(one, two) == 0, "%s, then %s", one, two);
		mag_sim_disk_destroy(disk);
	}
}

/* Directories in each other, of which one is synced: tried, with a tree that took them as they came: a circle. */
Test(sim_disk, renamed_directories_are_a_tree_after_a_cut, .timeout = 60)
{
	leaves_things_behind();
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		mag_sim_disk *disk = mag_sim_disk_create();
		mag_sim_options options = { .size = sizeof(options), .disk = disk };

		cr_assert_eq(mag_sim_run(seed, &options, nest), 0);
		cr_assert_eq(mag_sim_run(seed, &options, clear), 0);
		mag_sim_disk_destroy(disk);
	}
}

Test(sim_disk, without_one_a_run_finds_nothing, .timeout = 20)
{
	const mag_sim_options quiet = { .size = sizeof(quiet), .quiet = true };
	char text[32];

	leaves_things_behind();
	cr_assert_eq(mag_sim_run(1, NULL, save, .care = CAREFUL, .text = "something"), 0);
	cr_assert_eq(mag_sim_run(1, &quiet, load, .text = text, .room = sizeof(text)), -ENOENT);
	mag_sim_disk_destroy(NULL);
	mag_sim_power_cut(); /* not in a simulation */
}
