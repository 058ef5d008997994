/* SPDX-License-Identifier: MIT */
/* context.c - contexts, and their newest keys.
 *
 * Who:     any thread.
 * Always:  under the lock: `keys` has a reference of the context's, `sessions` are those that have not given theirs back.
 * Not:     one SSL_CTX that is changed in place: a handshake in the middle would see half of it. */
#include <errno.h>
#include <magpie/offload.h>
#include <magpie/options.h>
#include <string.h>

#include "tls/keys.h"

static int take_options(mag_tls_context *c, mag_tls_context_options *o, const mag_tls_context_options *given)
{
	if (!given || mag_options_take(o, sizeof(*o), given) < 0)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "options of another size");
	if (o->role != MAG_TLS_CLIENT && o->role != MAG_TLS_SERVER)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "the role is neither client nor server");
	if (o->min_version && o->min_version != MAG_TLS_1_2 && o->min_version != MAG_TLS_1_3)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "the least version is 1.2 or 1.3");
	if ((unsigned)o->verify > MAG_TLS_VERIFY_REQUIRED)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "no such way to verify");
	if (o->certificate_count && !o->certificates)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "certificates are counted but not given");
	if (o->role == MAG_TLS_SERVER && (!o->certificate_count || o->certificate_count > MAG_TLS_CERTIFICATES_MAX))
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "a server has 1 to %d certificates",
					     MAG_TLS_CERTIFICATES_MAX);
	if (o->role == MAG_TLS_CLIENT && o->certificate_count > 1)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "a client has one certificate at most");
	if (o->role == MAG_TLS_SERVER && o->verify >= MAG_TLS_VERIFY_OPTIONAL && !o->ca_file && !o->ca_dir && !o->ca_pem)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL,
					     "clients' certificates need a CA: not everybody whom the system trusts");
	return 0;
}

int mag_tls_context_init(mag_tls_context *c, const mag_tls_context_options *options)
{
	mag_tls_context_options o;
	int rc;

	if (!c)
		return -EINVAL;
	memset(c, 0, sizeof(*c));
	rc = take_options(c, &o, options);
	if (rc < 0)
		return rc;
	c->role = o.role;
	rc = magi_tls_keys_make(c, &o, &c->keys);
	if (rc < 0) {
		c->role = 0;
		return rc;
	}
	pthread_mutex_init(&c->lock, NULL);
	return 0;
}

int mag_tls_context_reload(mag_tls_context *c, const mag_tls_context_options *options)
{
	mag_tls_context_options o;
	struct magi_tls_keys *fresh, *old;
	int rc;

	if (!c || !c->role)
		return -EINVAL;
	c->fault = MAG_TLS_FINE;
	c->why[0] = 0;
	rc = take_options(c, &o, options);
	if (rc < 0)
		return rc;
	if (o.role != c->role)
		return magi_tls_context_fail(c, MAG_TLS_OPTIONS, -EINVAL, "the role of a context stays");
	rc = magi_tls_keys_make(c, &o, &fresh);
	if (rc < 0)
		return rc;
	pthread_mutex_lock(&c->lock);
	old = c->keys;
	c->keys = fresh;
	pthread_mutex_unlock(&c->lock);
	magi_tls_keys_give(old, 0);
	return 0;
}

int mag_tls_context_fini(mag_tls_context *c)
{
	struct magi_tls_keys *keys;
	uint32_t sessions;

	if (!c || !c->role)
		return 0;
	pthread_mutex_lock(&c->lock);
	sessions = c->sessions;
	pthread_mutex_unlock(&c->lock);
	if (sessions)
		return -EBUSY;
	keys = c->keys;
	c->keys = NULL;
	c->role = 0;
	magi_tls_keys_give(keys, 0);
	pthread_mutex_destroy(&c->lock);
	return 0;
}

struct magi_tls_keys *magi_tls_keys_take(mag_tls_context *c)
{
	struct magi_tls_keys *keys;

	pthread_mutex_lock(&c->lock);
	keys = c->keys;
	keys->refs++;
	c->sessions++;
	pthread_mutex_unlock(&c->lock);
	return keys;
}

void magi_tls_keys_give(struct magi_tls_keys *keys, uint32_t sessions)
{
	uint32_t left;

	pthread_mutex_lock(&keys->context->lock);
	left = --keys->refs;
	keys->context->sessions -= sessions;
	pthread_mutex_unlock(&keys->context->lock);
	if (!left)
		magi_tls_keys_destroy(keys);
}

enum mag_tls_fault mag_tls_context_fault(const mag_tls_context *c)
{
	return c ? c->fault : MAG_TLS_FINE;
}

const char *mag_tls_context_why(const mag_tls_context *c)
{
	return c ? c->why : "";
}

struct reloading {
	mag_frame frame;
	MAG_ARGS(reloading, mag_tls_context *context; const mag_tls_context_options *options;);
	int64_t rc;
};

static int64_t reload(void *arg)
{
	struct reloading *r = arg;

	return mag_tls_context_reload(r->context, r->options);
}

static MAG_TASK(reloading)
{
	MAG_BEGIN(reloading);
	MAG_AWAIT(self->rc, mag_offload, MAG_BLOCKING | MAG_KIND_FILE, reload, self);
	MAG_RETURN(self->rc);
	MAG_END;
}

mag_frame *mag_tls_reload(mag_worker *w, mag_frame *f, mag_tls_context *context, const mag_tls_context_options *options)
{
	MAG_OP_CALL(reloading, .context = context, .options = options);
}
