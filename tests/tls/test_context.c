/* SPDX-License-Identifier: MIT */
/* test_context.c - contexts: what is wrong with certificates and keys is said, names choose, and a reload disturbs nobody. */
#include <magpie/sim.h>
#include <stdio.h>
#include <unistd.h>

#include "tls/ends.h"

static struct certs certs;

static void make_certs(void)
{
	certs = certs_make();
}

static void free_certs(void)
{
	certs_free(&certs);
}

TestSuite(tls_context, .init = make_certs, .fini = free_certs, .timeout = 60);

/* A context that is refused, with this code and kind, in words that have `word` in them. */
#define REFUSED(rc, kind, word, ...)                                                                                     \
	do {                                                                                                           \
		mag_tls_context_options refused_options = { .size = sizeof(refused_options), __VA_ARGS__ };            \
		mag_tls_context refused;                                                                               \
		cr_assert_eq(mag_tls_context_init(&refused, &refused_options), (rc), "%s", mag_tls_context_why(&refused)); \
		cr_assert_eq(mag_tls_context_fault(&refused), (kind), "%s", mag_tls_context_why(&refused));            \
		cr_assert_not_null(strstr(mag_tls_context_why(&refused), word), "%s", mag_tls_context_why(&refused));  \
		cr_assert_eq(mag_tls_context_fini(&refused), 0);                                                       \
	} while (0)

#define SERVER_OF(leaf) .role = MAG_TLS_SERVER, .certificates = (leaf), .certificate_count = 1

Test(tls_context, options_that_make_no_sense_are_refused)
{
	mag_tls_certificate site = shown(&certs.site), none = { .chain_pem = "x" }, two = site;
	mag_tls_context context;
	mag_tls_context_options o = { .size = sizeof(o) + 1 };

	two.key_file = "also";
	cr_assert_eq(mag_tls_context_init(&context, &o), -EINVAL);
	o.size = 1;
	cr_assert_eq(mag_tls_context_init(&context, &o), -EINVAL);
	cr_assert_eq(mag_tls_context_init(&context, NULL), -EINVAL);
	cr_assert_eq(mag_tls_context_init(NULL, NULL), -EINVAL);
	cr_assert_eq(mag_tls_context_fini(NULL), 0);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "role", .alpn = NULL);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "version", SERVER_OF(&site), .min_version = 0x0302);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "verify", SERVER_OF(&site), .verify = 9);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "counted", .role = MAG_TLS_SERVER, .certificate_count = 1);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "1 to", .role = MAG_TLS_SERVER);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "one certificate", .role = MAG_TLS_CLIENT, .certificates = &site,
		.certificate_count = 2);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "need a CA", SERVER_OF(&site), .verify = MAG_TLS_VERIFY_REQUIRED);
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "one for the key", SERVER_OF(&none));
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "one for the key", SERVER_OF(&two));
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "alpn", SERVER_OF(&site), .alpn = "");
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "alpn", SERVER_OF(&site), .alpn = "h2,,x");
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "alpn", SERVER_OF(&site), .alpn = "h2,");
	REFUSED(-EINVAL, MAG_TLS_OPTIONS, "alpn", SERVER_OF(&site), .alpn = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q");
}

Test(tls_context, what_is_wrong_with_a_certificate_is_said)
{
	mag_tls_certificate missing = { .chain_file = "/nowhere/site.pem", .key_pem = certs.site.key };
	mag_tls_certificate missing_key = { .chain_pem = certs.site.chain, .key_file = "/nowhere/site.key" };
	mag_tls_certificate folder = { .chain_file = "/", .key_pem = certs.site.key };
	mag_tls_certificate empty = { .chain_pem = "", .key_pem = certs.site.key };
	mag_tls_certificate swapped = { .chain_pem = certs.site.key, .key_pem = certs.site.chain };
	mag_tls_certificate no_key = { .chain_pem = certs.site.chain, .key_pem = certs.site.chain };
	mag_tls_certificate other_key = { .chain_pem = certs.site.chain, .key_pem = certs.wild.key };
	mag_tls_certificate expired = shown(&certs.expired), future = shown(&certs.future);
	char *damaged = strdup(certs.site.chain), *chain = calloc(1, 2 * strlen(certs.site.chain) + 1);
	mag_tls_certificate bad = { .chain_pem = damaged, .key_pem = certs.site.key };
	mag_tls_certificate bad_chain = { .chain_pem = chain, .key_pem = certs.site.key };
	EVP_PKEY *key = EVP_EC_gen("P-256");
	char *locked = pem_of_key(key, "secret");
	mag_tls_certificate encrypted = { .chain_pem = certs.site.chain, .key_pem = locked };

	memset(damaged + 100, 'A', 60);
	strcat(strcpy(chain, certs.site.chain), damaged);
	REFUSED(-ENOENT, MAG_TLS_FILE, "/nowhere/site.pem", SERVER_OF(&missing));
	REFUSED(-ENOENT, MAG_TLS_FILE, "/nowhere/site.key", SERVER_OF(&missing_key));
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "/", SERVER_OF(&folder));
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "no certificate", SERVER_OF(&empty));
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "no certificate", SERVER_OF(&swapped));
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "no key", SERVER_OF(&no_key));
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "damaged", SERVER_OF(&bad));
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "damaged", SERVER_OF(&bad_chain));
	REFUSED(-EBADMSG, MAG_TLS_KEY_LOCKED, "encrypted", SERVER_OF(&encrypted));
	REFUSED(-EKEYREJECTED, MAG_TLS_KEY_MISMATCH, "not that of", SERVER_OF(&other_key));
	REFUSED(-EKEYREJECTED, MAG_TLS_EXPIRED, "expired", SERVER_OF(&expired));
	REFUSED(-EKEYREJECTED, MAG_TLS_NOT_YET, "not valid yet", SERVER_OF(&future));
	REFUSED(-ENOENT, MAG_TLS_FILE, "/nowhere/ca.pem", .role = MAG_TLS_CLIENT, .ca_file = "/nowhere/ca.pem");
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "/dev/null", .role = MAG_TLS_CLIENT, .ca_file = "/dev/null");
	REFUSED(-EBADMSG, MAG_TLS_NOT_PEM, "no certificate", .role = MAG_TLS_CLIENT, .ca_pem = "nothing");
	EVP_PKEY_free(key);
	free(locked);
	free(damaged);
	free(chain);
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	cr_assert_not_null(file);
	fputs(text, file);
	fclose(file);
}

/* A chain of files, one that is trusted with others, and the system's trust. */
Test(tls_context, files_are_read)
{
	char folder[] = "/tmp/magpie_tls_XXXXXX", chain[64], key[64], ca[64];
	mag_tls_certificate site = { .chain_file = chain, .key_file = key };
	char *both = calloc(1, strlen(certs.ca.pem) + strlen(certs.other.pem) + 1);
	mag_tls_context server, client;
	struct talk t = { .server = &server, .client = &client, .host = "example.org" };

	cr_assert_not_null(mkdtemp(folder));
	snprintf(chain, sizeof(chain), "%s/chain.pem", folder);
	snprintf(key, sizeof(key), "%s/key.pem", folder);
	snprintf(ca, sizeof(ca), "%s/ca.pem", folder);
	put(chain, certs.site.chain);
	put(key, certs.site.key);
	strcat(strcpy(both, certs.other.pem), certs.ca.pem);
	put(ca, both);
	CONTEXT(&server, SERVER_OF(&site));
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_file = ca);
	RUN(talking, .talk = &t);
	WENT_WELL(&t);
	mag_tls_context_fini(&client);
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = both, .ca_dir = folder);
	RUN(talking, .talk = &t);
	WENT_WELL(&t);
	mag_tls_context_fini(&client);
	CONTEXT(&client, .role = MAG_TLS_CLIENT); /* the system does not know our CA */
	RUN(talking, .talk = &t);
	cr_assert_eq(t.fate[0].fault, MAG_TLS_UNTRUSTED);
	mag_tls_context_fini(&client);
	mag_tls_context_fini(&server);
	unlink(chain);
	unlink(key);
	unlink(ca);
	rmdir(folder);
	free(both);
}

/* Who is shown to whom. */
static void asks_for(struct talk *t, const char *host, const char *who)
{
	t->host = host;
	RUN(talking, .talk = t);
	WENT_WELL(t);
	cr_assert_str_eq(t->fate[0].peer, who, "%s: %s", host, t->fate[0].peer);
}

Test(tls_context, the_name_that_is_asked_for_chooses_the_certificate)
{
	struct leaf exact = leaf_make(&certs.ca, "exact", "DNS:b.example.net,DNS:c.example.com", -1, 30);
	mag_tls_certificate all[] = { shown(&certs.site), shown(&certs.wild), shown(&exact) };
	mag_tls_context server, client;
	struct talk t = { .server = &server, .client = &client };

	CONTEXT(&server, .role = MAG_TLS_SERVER, .certificates = all, .certificate_count = 3);
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem, .no_tickets = true);
	asks_for(&t, "example.org", "CN=site");
	asks_for(&t, "a.example.net", "CN=wild");
	asks_for(&t, "b.example.net", "CN=exact"); /* the wildcard comes first, but is less exact */
	asks_for(&t, "C.Example.COM", "CN=exact");
	asks_for(&t, "127.0.0.1", "CN=site"); /* no name was asked for */
	mag_tls_context_fini(&client);
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .verify = MAG_TLS_VERIFY_NONE, .no_tickets = true);
	asks_for(&t, "unknown.example", "CN=site");
	asks_for(&t, "b.a.example.net", "CN=site");
	mag_tls_context_fini(&client);
	mag_tls_context_fini(&server);
	leaf_free(&exact);
}

/* A key of another kind than the first one's: the first must not stay a choice. */
Test(tls_context, keys_of_several_kinds)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	X509 *cert = cert_of("rsa", key, &certs.ca, "DNS:rsa.example", -1, 30);
	struct leaf rsa = { pem_of_cert(cert), pem_of_key(key, NULL) };
	mag_tls_certificate all[] = { shown(&certs.site), shown(&rsa) };
	mag_tls_context server, client;
	struct talk t = { .server = &server, .client = &client };

	CONTEXT(&server, .role = MAG_TLS_SERVER, .certificates = all, .certificate_count = 2);
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem);
	asks_for(&t, "rsa.example", "CN=rsa");
	asks_for(&t, "example.org", "CN=site");
	mag_tls_context_fini(&client);
	mag_tls_context_fini(&server);
	X509_free(cert);
	EVP_PKEY_free(key);
	leaf_free(&rsa);
}

/* Certificates change while handshakes run on all workers. */
enum { RELOADS = 40, TALKS = 60 };

struct reloads {
	mag_frame frame;
	MAG_ARGS(reloads, mag_tls_context *server; const mag_tls_context_options *a; const mag_tls_context_options *b;);
	mag_tls_context_options bad;
	int64_t rc;
	int i;
};

static MAG_TASK(reloads)
{
	MAG_BEGIN(reloads);
	self->bad = (mag_tls_context_options){ .size = sizeof(self->bad), .role = MAG_TLS_CLIENT };
	for (self->i = 0; self->i < RELOADS; self->i++) {
		MAG_AWAIT(self->rc, mag_tls_reload, self->server, self->i % 2 ? self->a : self->b);
		CHECK_EQ(self->rc, 0);
		MAG_AWAIT(self->rc, mag_tls_reload, self->server, &self->bad);
		CHECK_EQ(self->rc, -EINVAL);
		CHECK_EQ(mag_tls_context_fault(self->server), MAG_TLS_OPTIONS);
		MAG_YIELD(self->rc);
	}
	MAG_RETURN(0);
	MAG_END;
}

struct talks {
	mag_frame frame;
	MAG_ARGS(talks, struct talk *talk; const struct reloads_args *r; int n;);
	mag_group group;
	int64_t rc;
	int i;
};

static MAG_TASK(talks)
{
	MAG_BEGIN(talks);
	MAG_GROUP_BEGIN(&self->group, .limit = 8);
	MAG_SPAWN(self->rc, &self->group, reloads, .server = self->r->server, .a = self->r->a, .b = self->r->b);
	CHECK_EQ(self->rc, 0);
	for (self->i = 0; self->i < self->n; self->i++) {
		MAG_SPAWN(self->rc, &self->group, talking, .talk = &self->talk[self->i]);
		CHECK_EQ(self->rc, 0);
	}
	MAG_GROUP_END(self->rc, &self->group);
	MAG_RETURN(self->rc);
	MAG_END;
}

Test(tls_context, a_reload_disturbs_nobody)
{
	mag_tls_certificate site = shown(&certs.site), other;
	struct leaf fresh = leaf_make(&certs.ca, "fresh", "DNS:example.org", -1, 30);
	mag_tls_context_options a = { .size = sizeof(a), SERVER_OF(&site) }, b = { .size = sizeof(b), SERVER_OF(&other) };
	mag_tls_context server, client;
	static struct talk t[TALKS];
	struct reloads_args args = { &server, &a, &b };

	other = shown(&fresh);
	CONTEXT(&server, SERVER_OF(&site));
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem);
	for (int i = 0; i < TALKS; i++)
		t[i] = (struct talk){ .server = &server, .client = &client, .host = "example.org" };
	RUN(talks, .talk = t, .r = &args, .n = TALKS);
	for (int i = 0; i < TALKS; i++)
		WENT_WELL(&t[i]);
	for (uint64_t seed = 0; seed < 10; seed++)
		cr_assert_eq(mag_sim_run(seed, NULL, talks, .talk = t, .r = &args, .n = 8), 0, "seed %d", (int)seed);

	cr_assert_eq(mag_tls_context_reload(&server, &b), 0);
	RUN(talking, .talk = &t[0]);
	cr_assert_str_eq(t[0].fate[0].peer, "CN=fresh");
	other.key_pem = certs.wild.key; /* a reload that fails changes nothing */
	cr_assert_eq(mag_tls_context_reload(&server, &b), -EKEYREJECTED);
	cr_assert_eq(mag_tls_context_fault(&server), MAG_TLS_KEY_MISMATCH);
	RUN(talking, .talk = &t[0]);
	WENT_WELL(&t[0]);
	cr_assert_eq(mag_tls_context_reload(&server, &a), 0);
	cr_assert_eq(mag_tls_context_fault(&server), MAG_TLS_FINE);
	cr_assert_str_eq(mag_tls_context_why(&server), "");
	mag_tls_context_fini(&server);
	cr_assert_eq(mag_tls_context_reload(&server, &a), -EINVAL); /* there is none */
	mag_tls_context_fini(&client);
	leaf_free(&fresh);
}

/* More hosts than tickets are kept of. */
Test(tls_context, tickets_of_many_hosts_make_room)
{
	mag_tls_certificate wild = shown(&certs.wild);
	mag_tls_context server, client;
	char host[32];
	struct talk t = { .server = &server, .client = &client, .host = host };

	CONTEXT(&server, SERVER_OF(&wild));
	CONTEXT(&client, .role = MAG_TLS_CLIENT, .ca_pem = certs.ca.pem);
	for (int i = 0; i <= MAG_TLS_RESUMED_HOSTS + 1; i++) {
		/* the first one is used again, so it is the second that makes room */
		snprintf(host, sizeof(host), "h%d.example.net", i == 2 ? 0 : i);
		RUN(talking, .talk = &t);
		WENT_WELL(&t);
		cr_assert_eq(t.fate[0].resumed, i == 2);
	}
	snprintf(host, sizeof(host), "h0.example.net");
	RUN(talking, .talk = &t);
	cr_assert(t.fate[0].resumed);
	snprintf(host, sizeof(host), "h1.example.net");
	RUN(talking, .talk = &t);
	cr_assert(!t.fate[0].resumed);
	mag_tls_context_fini(&server);
	mag_tls_context_fini(&client);
}
