/* SPDX-License-Identifier: MIT */
/* sim.h - a small world in memory that plays the kernel: for tests, and for the simulation.
 *
 * Several io of one runtime share a world (magi_io_params.world). Its descriptors count from MAGI_SIM_FD up: sockets,
 * pipes, files. Three modes:
 *
 *   completion  as io_uring at its worst: operations begin at a poll, results come some polls later and in another
 *               order, reads and writes fall short, multishots end early, a cancel may lose or come to nothing, a poll
 *               hands out few records
 *   readiness   as epoll: submit tries at once, what would block waits until the peer has moved; no multishot survives
 *               its first record
 *   hosted      under a simulation (base/host.h), whose time it takes and whose chances decide what goes wrong. Nothing
 *               touches the system: there are a network and a tree of files, and magi_world_sys answers what
 *               base/sys.h asks. A network takes its time, a disk too
 *
 * In the first two the clock is set by the test, threads are real, and operations on smaller descriptors, and on paths,
 * are done by the system, at a poll.
 *
 * In all, memory that an operation will write is garbage from submit on, and is garbled once more right before its
 * terminal record: who reads or reuses it early is found out.
 *
 * Who:     any thread, everything; the contract's functions as io.h says. Hosted: the simulation's thread alone.
 * Always:  the same seed gives the same run when one thread drives the world.
 * Not:     for speed: one lock for the whole world. */
#ifndef MAGI_IO_SIM_H
#define MAGI_IO_SIM_H

#include <sys/socket.h>

#include "base/sys.h"
#include "io/io.h"

enum {
	MAGI_SIM_FD = 1 << 20,       /* the first descriptor that the world made up */
	MAGI_SIM_STREAM_BYTES = 4096 /* what a stream holds in each direction, unless told; hosted: up to 16 times */
};

enum magi_world_mode { MAGI_SIM_COMPLETION, MAGI_SIM_READINESS, MAGI_SIM_HOSTED };

struct magi_world;

/* NULL when memory is out. The clock starts at one second; hosted, it is the simulation's. */
struct magi_world *magi_world_create(uint64_t seed, enum magi_world_mode mode);
/* No io of it is open any more; descriptors may be. Hosted, an io may be, too: a run was broken off. NULL is fine. */
void magi_world_destroy(struct magi_world *world);

/* The system calls of a hosted world, for struct magi_host. */
extern const struct magi_sys magi_world_sys;

/* The clock, in ns. Setting it ends the polls whose deadline has come; it does not go back. */
void magi_world_set_now(struct magi_world *world, uint64_t now);
void magi_world_advance(struct magi_world *world, uint64_t ns);
uint64_t magi_world_now(struct magi_world *world);

/* While on: when every open io of the world is blocked in poll and nothing can complete, the clock goes to the earliest
 * of their deadlines. Off at first. */
void magi_world_auto_advance(struct magi_world *world, bool on);
/* The clock does not go by itself between these: a foreign thread is at work. They nest. */
void magi_world_hold(struct magi_world *world);
void magi_world_unhold(struct magi_world *world);

/* Two ends of a stream. Like all that make descriptors: 0 or more, or -EMFILE. */
int magi_world_pair(struct magi_world *world, int fds[2]);
/* fds[0] reads what fds[1] writes. */
int magi_world_pipe(struct magi_world *world, int fds[2]);
int magi_world_listener(struct magi_world *world);
/* A stream socket that is not connected. */
int magi_world_socket(struct magi_world *world);
/* Where to connect to reach a listener that magi_world_listener made. */
socklen_t magi_world_address(int listener, struct sockaddr_storage *address);
/* A file with these contents; it grows when written. */
int magi_world_file(struct magi_world *world, const void *bytes, size_t size);
/* Closes one without an operation. */
int magi_world_close(struct magi_world *world, int fd);
/* The stream breaks: reads and writes at the other end give -ECONNRESET from now on. */
int magi_world_reset(struct magi_world *world, int fd);

/* For leak checks: descriptors that are open. */
uint32_t magi_world_open_fds(struct magi_world *world);
/* Calls fn for each, lowest first: what it is ("stream", "listener", …), and its addresses or its path. */
void magi_world_each_open(struct magi_world *world, void (*fn)(void *ctx, int fd, const char *kind, const char *text),
			  void *ctx);
/* Requests of all its io that have not had their terminal record. */
uint32_t magi_world_ops_pending(struct magi_world *world);
/* From now on no more than that many may be open. */
void magi_world_limit_fds(struct magi_world *world, uint32_t limit);
/* Streams made from now on hold that many bytes in each direction. */
void magi_world_stream_bytes(struct magi_world *world, uint32_t bytes);

/* Hosted. While on, nothing gets through between addresses, but for Unix sockets; streams then go on. */
void magi_world_partition(struct magi_world *world, bool on);
/* Hosted. What was not synced is gone: files are as they were at their last fsync, directories too. No io and no
 * descriptor is open. */
void magi_world_power_cut(struct magi_world *world);

/* Hosted. A tree of files that a world begins with and leaves behind. */
struct mag_sim_disk;
struct mag_sim_disk *magi_world_disk_create(void);
void magi_world_disk_destroy(struct mag_sim_disk *disk);
void magi_world_insert(struct magi_world *world, struct mag_sim_disk *disk);
/* In place of magi_world_destroy. cut: what was not synced is there or gone, each file and directory by the seed. */
void magi_world_remove(struct magi_world *world, struct mag_sim_disk *disk, bool cut);

#endif
