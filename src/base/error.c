/* SPDX-License-Identifier: MIT */
/* error.c - codes in words. */
#include <magpie/error.h>
#include <string.h>

static const struct {
	int64_t code;
	const char *name, *text;
} own[] = {
	{ MAG_ECANCELED, "MAG_ECANCELED", "cancelled" },
	{ MAG_ETIMEDOUT, "MAG_ETIMEDOUT", "the deadline passed" },
	{ MAG_ECLOSED, "MAG_ECLOSED", "closed" },
	{ MAG_EDEADLK, "MAG_EDEADLK", "waiting here could never end" },
	{ MAG_ESHUTDOWN, "MAG_ESHUTDOWN", "the runtime stopped with work left over" },
	{ MAG_EDEPTH, "MAG_EDEPTH", "scopes are nested too deeply" },
	{ MAG_EEOF, "MAG_EEOF", "the other end finished early" },
	{ MAG_EBACKEND, "MAG_EBACKEND", "no I/O backend can run here" },
	{ MAG_EABI, "MAG_EABI", "program and library have different layouts" },
	{ MAG_ERESOLVE, "MAG_ERESOLVE", "the name could not be resolved" },
	{ MAG_ETOOLONG, "MAG_ETOOLONG", "longer than the limit" },
	{ MAG_ESIM, "MAG_ESIM", "simulated or stress run failed" },
	{ MAG_EREFUSED, "MAG_EREFUSED", "refused by a circuit breaker" },
};

enum { OWN = sizeof(own) / sizeof(own[0]) };

const char *mag_strerror(int64_t code)
{
	const char *text;

	if (code >= 0)
		return "success";
	for (int i = 0; i < OWN; i++) {
		if (own[i].code == code)
			return own[i].text;
	}
	text = code > -4096 ? strerrordesc_np((int)-code) : NULL;
	return text ? text : "unknown error";
}

const char *mag_errname(int64_t code)
{
	const char *name;

	if (code >= 0)
		return "OK";
	for (int i = 0; i < OWN; i++) {
		if (own[i].code == code)
			return own[i].name;
	}
	name = code > -4096 ? strerrorname_np((int)-code) : NULL;
	return name ? name : "EUNKNOWN";
}
