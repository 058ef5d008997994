/* SPDX-License-Identifier: MIT */
/* test_memory.c - what a session costs while it waits, and memory that runs out, at each allocation of OpenSSL's and ours. */
#include <malloc.h>
#include <openssl/crypto.h>

#include "tls/ends.h"

/* One worker, or none. */
static struct {
	uint64_t made, fail_at;
	int64_t bytes;
} heap;

static void *heap_take(size_t n, const char *file, int line)
{
	void *p = ++heap.made == heap.fail_at ? NULL : malloc(n);

	(void)file, (void)line;
	if (p)
		heap.bytes += (int64_t)malloc_usable_size(p);
	return p;
}

static void heap_give(void *p, const char *file, int line)
{
	(void)file, (void)line;
	if (p)
		heap.bytes -= (int64_t)malloc_usable_size(p);
	free(p);
}

static void *heap_again(void *p, size_t n, const char *file, int line)
{
	int64_t had = p ? (int64_t)malloc_usable_size(p) : 0;

	(void)file, (void)line;
	p = ++heap.made == heap.fail_at ? NULL : realloc(p, n);
	if (p)
		heap.bytes += (int64_t)malloc_usable_size(p) - had;
	return p;
}

/* Before main, in which Criterion uses OpenSSL. */
static bool counted;
__attribute__((constructor)) static void count(void)
{
	counted = CRYPTO_set_mem_functions(heap_take, heap_again, heap_give);
}

static struct certs certs;
static mag_tls_context server, client;

static void make_contexts(void)
{
	mag_tls_certificate site;

	cr_assert(counted);
	certs = certs_make();
	site = shown(&certs.site);
	CONTEXT(&server, .role = MAG_TLS_SERVER, .certificates = &site, .certificate_count = 1);
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem, .alpn = "h2");
}

static void free_contexts(void)
{
	cr_assert_eq(mag_tls_context_fini(&server), 0);
	cr_assert_eq(mag_tls_context_fini(&client), 0);
	certs_free(&certs);
}

TestSuite(tls_memory, .init = make_contexts, .fini = free_contexts, .timeout = 120);

/* All on one worker: what is counted is not behind a lock. */
#define ON_ONE(...)                                                                              \
	do {                                                                                     \
		mag_runtime_options one = { .size = sizeof(one), .workers = 1 };                 \
		int64_t one_rc = LEDGER_RUN(&one, __VA_ARGS__);                                  \
		if (one_rc == MAG_EBACKEND)                                                      \
			cr_skip_test("%s", mag_runtime_why());                                   \
		cr_assert_eq(one_rc, 0, "%lld", (long long)one_rc);                              \
	} while (0)

/* A client and a server that have talked, and wait. */
enum { IDLE_MAX = 40 * 1024, MUCH = 200000 };

struct shaker {
	mag_frame frame;
	MAG_ARGS(shaker, mag_tls *tls; char *data; bool listens;);
	size_t at;
	int64_t rc;
};

static MAG_TASK(shaker)
{
	MAG_BEGIN(shaker);
	MAG_AWAIT(self->rc, mag_tls_handshake, self->tls);
	CHECK_EQ(self->rc, 0);
	if (self->listens) {
		for (self->at = 0; self->at < MUCH; self->at += (size_t)self->rc) {
			MAG_AWAIT(self->rc, mag_tls_recv, self->tls, self->data, MUCH);
			CHECK(self->rc > 0);
		}
	} else {
		MAG_AWAIT(self->rc, mag_tls_send_all, self->tls, self->data, MUCH);
		CHECK_EQ(self->rc, MUCH);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct waits {
	mag_frame frame;
	MAG_ARGS(waits, mag_tls *tls; int64_t want;);
	int64_t rc;
	char buf[16];
};

static MAG_TASK(waits)
{
	MAG_BEGIN(waits);
	MAG_AWAIT(self->rc, mag_tls_recv, self->tls, self->buf, sizeof(self->buf));
	CHECK_EQ(self->rc, self->want);
	MAG_RETURN(0);
	MAG_END;
}

struct idle {
	mag_frame frame;
	MAG_ARGS(idle, int64_t *cost;);
	mag_fd fd[2];
	mag_tls tls[2];
	mag_group group, waiting;
	int64_t rc, before;
	char *data;
};

static MAG_TASK(idle)
{
	MAG_BEGIN(idle);
	CHECK_EQ(mag_socket_pair(SOCK_STREAM, self->fd), 0);
	self->data = calloc(1, 2 * MUCH);
	self->before = heap.bytes;
	CHECK_EQ(mag_tls_init(&self->tls[0], &client, self->fd[0], "example.org"), 0);
	CHECK_EQ(mag_tls_init(&self->tls[1], &server, self->fd[1], NULL), 0);
	MAG_GROUP_BEGIN(&self->group);
	MAG_SPAWN(self->rc, &self->group, shaker, .tls = &self->tls[0], .data = self->data);
	MAG_SPAWN(self->rc, &self->group, shaker, .tls = &self->tls[1], .data = self->data + MUCH, .listens = true);
	MAG_GROUP_END(self->rc, &self->group);
	CHECK_EQ(self->rc, 0);
	MAG_GROUP_BEGIN(&self->waiting);
	MAG_SPAWN(self->rc, &self->waiting, waits, .tls = &self->tls[0], .want = MAG_EEOF);
	MAG_SPAWN(self->rc, &self->waiting, waits, .tls = &self->tls[1], .want = 0);
	MAG_AWAIT(self->rc, mag_sleep, 5 * MAG_MILLISECOND);
	CHECK(!self->tls[0].out.data && !self->tls[0].flight.data && !self->tls[1].out.data && !self->tls[1].flight.data);
	CHECK(self->tls[0].in.data == self->tls[0].small && self->tls[1].in.data == self->tls[1].small);
	*self->cost = (heap.bytes - self->before) / 2;
	MAG_AWAIT(self->rc, mag_tls_send_end, &self->tls[0]);
	MAG_AWAIT(self->rc, mag_shutdown, self->fd[1], SHUT_WR);
	MAG_GROUP_END(self->rc, &self->waiting);
	CHECK_EQ(self->rc, 0);
	mag_tls_fini(&self->tls[0]);
	mag_tls_fini(&self->tls[1]);
	free(self->data);
	CLOSE(self->fd[0]);
	CLOSE(self->fd[1]);
	MAG_RETURN(0);
	MAG_END;
}

Test(tls_memory, who_waits_holds_no_buffers)
{
	int64_t cost = 0;

	ON_ONE(idle, .cost = &cost); /* OpenSSL fills its caches */
	ON_ONE(idle, .cost = &cost);
	fprintf(stderr, "a session that waits: %d bytes, and %d of OpenSSL's\n", (int)sizeof(mag_tls), (int)cost);
	cr_assert_gt(cost, 0);
	cr_assert_lt(cost, IDLE_MAX);
}

/* Either all went well, or somebody has an error, and nothing is left of it. */
Test(tls_memory, a_conversation_without_memory_fails_or_does_not_need_it)
{
	struct talk t = { .server = &server, .client = &client, .host = "example.org", .poor = true };
	uint32_t failed = 0;
	uint64_t needs;

	ON_ONE(talking, .talk = &t);
	heap.made = 0;
	ON_ONE(talking, .talk = &t);
	needs = heap.made;
	cr_assert_gt(needs, 50);
	for (uint64_t i = 1; i <= needs; i += i < 40 ? 1 : needs / 60) {
		const struct fate *f = t.fate;

		memset(t.fate, 0, sizeof(t.fate));
		heap.made = 0;
		heap.fail_at = i;
		ON_ONE(talking, .talk = &t);
		heap.fail_at = 0;
		failed += f[0].handshake < 0 || f[1].handshake < 0 || f[0].heard != 18 || f[1].heard != 18;
		cr_assert(!f[0].fault == !*f[0].why && !f[1].fault == !*f[1].why);
	}
	cr_assert_gt(failed, 10);
}

Test(tls_memory, a_context_without_memory_is_refused)
{
	mag_tls_certificate site = shown(&certs.site);
	mag_tls_context_options s = { .size = sizeof(s), .role = MAG_TLS_SERVER, .certificates = &site,
				      .certificate_count = 1, .alpn = "h2" };
	mag_tls_context_options c = { .size = sizeof(c), .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem, .alpn = "h2" };
	mag_tls_context context;
	uint32_t failed = 0;
	int64_t before = heap.bytes;

	cr_assert_eq(mag_tls_context_init(&context, &c), 0);
	mag_tls_context_fini(&context);
	for (int who = 0; who < 2; who++) {
		uint64_t needs;

		heap.made = 0;
		cr_assert_eq(mag_tls_context_init(&context, who ? &s : &c), 0);
		needs = heap.made;
		mag_tls_context_fini(&context);
		for (uint64_t i = 1; i <= needs; i += i < 60 ? 1 : needs / 60) {
			int rc;

			heap.made = 0;
			heap.fail_at = i;
			rc = mag_tls_context_init(&context, who ? &s : &c);
			heap.fail_at = 0;
			if (rc < 0)
				failed++;
			cr_assert_eq(rc < 0, *mag_tls_context_why(&context) != 0);
			mag_tls_context_fini(&context);
		}
	}
	cr_assert_gt(failed, 30, "%d", (int)failed);
	cr_assert_lt(heap.bytes - before, 4096, "%d bytes are left", (int)(heap.bytes - before)); /* OpenSSL has caches */
}
