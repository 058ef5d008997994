/* SPDX-License-Identifier: MIT */
/* serve_world.h - included before each source of the server where it is simulated: what it asks of the system by itself
 * is answered by the simulated world, and can be made to fail. */
#ifndef MAGPIE_TESTS_SERVE_WORLD_H
#define MAGPIE_TESTS_SERVE_WORLD_H

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

void *world_malloc(size_t size);
void *world_calloc(size_t n, size_t size);
void *world_realloc(void *memory, size_t size);
void *world_aligned_alloc(size_t align, size_t size);
int world_clock(struct timespec *ts);
int world_ioctl(int fd, unsigned long what, int *bytes);
ssize_t world_send(int fd, const void *bytes, size_t n);
int world_fcntl(int fd, int command, int value);
int world_mutex_lock(pthread_mutex_t *mutex);

#ifndef SERVE_WORLD_ANSWERS
#define malloc(size) world_malloc(size)
#define calloc(n, size) world_calloc(n, size)
#define realloc(memory, size) world_realloc(memory, size)
#define aligned_alloc(align, size) world_aligned_alloc(align, size)
#define clock_gettime(clock, ts) world_clock(ts)
#define time(now) ((time_t)1700000000)
#define ioctl(fd, what, bytes) world_ioctl(fd, what, bytes)
#define send(fd, bytes, n, flags) world_send(fd, bytes, n)
#define fcntl(fd, command, value) world_fcntl(fd, command, value)
#define pthread_mutex_lock(mutex) world_mutex_lock(mutex)
#endif

#endif
