/* SPDX-License-Identifier: MIT */
/* test_io_name.c - names of hosts and interfaces, as far as every machine has the same. */
#include <magpie/error.h>
#include <net/if.h>

#include "base/fault.h"
#include "conformance/sockets.h"

/* The families of what a name stands for, 4 or 6 each, as a decimal number; or the error. */
static int families(const char *name, int family, const char *service, int port)
{
	struct addrinfo hints = { .ai_family = family, .ai_socktype = SOCK_STREAM }, *list = NULL;
	int rc = magi_sys_getaddrinfo(name, service, &hints, &list);

	if (rc < 0)
		return rc;
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		union address at;

		memcpy(&at, a->ai_addr, a->ai_addrlen);
		cr_assert(ntohs(a->ai_family == AF_INET ? at.v4.sin_port : at.v6.sin6_port) == port);
		rc = rc * 10 + (a->ai_family == AF_INET ? 4 : 6);
	}
	magi_sys_freeaddrinfo(list);
	return rc;
}

CONFORMS(a_number_is_its_own_address_in_its_own_family)
{
	(void)f;
	cr_assert(families("127.0.0.1", AF_UNSPEC, "80", 80) == 4 && families("127.0.0.1", AF_INET, NULL, 0) == 4);
	cr_assert(families("127.0.0.1", AF_INET6, NULL, 0) == MAG_ERESOLVE);
	cr_assert(families("::1", AF_UNSPEC, "80", 80) == 6 && families("::1", AF_INET6, "", 0) == 6);
	cr_assert(families("::1", AF_INET, NULL, 0) == MAG_ERESOLVE);
	cr_assert(families("127.0.0.1", AF_INET, "no such service", 0) == MAG_ERESOLVE);
}

CONFORMS(this_host_has_a_name)
{
	(void)f;
	cr_assert(families("localhost", AF_INET, "443", 443) == 4);
}

CONFORMS(without_hints_a_name_stands_for_all_it_can)
{
	struct addrinfo *list = NULL;

	(void)f;
	cr_assert(magi_sys_getaddrinfo("127.0.0.1", NULL, NULL, &list) == 0 && list->ai_family == AF_INET);
	magi_sys_freeaddrinfo(list);
}

CONFORMS(an_interface_has_a_name_and_a_number)
{
	char name[IF_NAMESIZE] = "";

	(void)f;
	cr_assert(magi_sys_if_index("lo") == 1);
	cr_assert(magi_sys_if_index("none such") == -ENODEV && magi_sys_if_index("") == -ENODEV);
	cr_assert(magi_sys_if_name(1, name) == 0 && strcmp(name, "lo") == 0);
	cr_assert(magi_sys_if_name(INT32_MAX, name) == -ENODEV);
}

CONFORMS(questions_about_interfaces_fail_as_planned)
{
	char name[IF_NAMESIZE] = "";

	(void)f;
	magi_fault_syscalls(1, ENFILE);
	cr_assert(magi_sys_if_index("lo") == -ENFILE && magi_sys_if_index("lo") == 1);
	magi_fault_syscalls(1, ENFILE);
	cr_assert(magi_sys_if_name(1, name) == -ENFILE && name[0] == 0 && magi_sys_if_name(1, name) == 0);
	magi_fault_syscalls(0, 0);
}
