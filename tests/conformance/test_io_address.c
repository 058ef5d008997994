/* SPDX-License-Identifier: MIT */
/* test_io_address.c - who may have which address, and what sockets say of themselves. */
#include <netinet/tcp.h>

#include "conformance/sockets.h"

CONFORMS(a_socket_has_a_family_a_type_and_a_protocol_that_fit)
{
	static const struct {
		int family, type, protocol, rc;
	} cases[] = {
		{ 250, SOCK_STREAM, 0, -EAFNOSUPPORT },
		{ AF_INET, SOCK_STREAM, IPPROTO_UDP, -EPROTONOSUPPORT },
		{ AF_INET6, SOCK_DGRAM, IPPROTO_TCP, -EPROTONOSUPPORT },
		{ AF_UNIX, SOCK_STREAM, IPPROTO_TCP, -EPROTONOSUPPORT },
		{ AF_INET, SOCK_RDM, 0, -ESOCKTNOSUPPORT },
		{ AF_UNIX, SOCK_RDM, 0, -ESOCKTNOSUPPORT },
		{ AF_INET, 15, 0, -EINVAL },
		{ AF_INET, SOCK_STREAM, IPPROTO_TCP, 0 },
		{ AF_INET6, SOCK_DGRAM, IPPROTO_UDP, 0 },
		{ AF_UNIX, SOCK_DGRAM, PF_UNIX, 0 },
	};

	(void)f;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = magi_sys_socket(cases[i].family, cases[i].type, cases[i].protocol);

		cr_assert(fd < 0 ? fd == cases[i].rc : cases[i].rc == 0, "case %d: %d", (int)i, fd);
		if (fd >= 0)
			CLOSE(fd);
	}
}

CONFORMS(pairs_are_of_unix_sockets)
{
	int pair[2];

	(void)f;
	cr_assert(magi_sys_socketpair(AF_INET, SOCK_STREAM, 0, pair) == -EOPNOTSUPP);
	cr_assert(magi_sys_socketpair(250, SOCK_STREAM, 0, pair) == -EAFNOSUPPORT);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_RDM, 0, pair) == -ESOCKTNOSUPPORT);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, IPPROTO_UDP, pair) == -EPROTONOSUPPORT);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
	CLOSE(pair[0], pair[1]);
}

CONFORMS(an_address_is_of_the_sockets_family_and_long_enough)
{
	union address a = v4(INADDR_LOOPBACK, 0), b = v6(in6addr_loopback, 0), c = path_of("bound");
	int four = socket_of(AF_INET, SOCK_STREAM), six = socket_of(AF_INET6, SOCK_STREAM);
	int local = socket_of(AF_UNIX, SOCK_STREAM);

	cr_assert(magi_sys_bind(four, &a.any, 1) == -EINVAL);
	cr_assert(magi_sys_bind(four, &a.any, sizeof(a.v4) - 1) == -EINVAL);
	cr_assert(magi_sys_bind(four, &b.any, sizeof(b.v6)) == -EAFNOSUPPORT);
	cr_assert(magi_sys_bind(six, &a.any, sizeof(a.v4)) == -EINVAL);
	cr_assert(magi_sys_bind(six, &c.any, sizeof(b.v6)) == -EAFNOSUPPORT);
	cr_assert(magi_sys_bind(local, &a.any, sizeof(a.v4)) == -EINVAL);
	cr_assert(magi_sys_bind(local, &c.any, UNIX_PATH_AT - 1) == -EINVAL);
	cr_assert(magi_sys_bind(local, &c.any, sizeof(c.local) + 1) == -EINVAL);
	cr_assert(bind_to(four, a) == 0 && bind_to(six, b) == 0);
	cr_assert(bind_to(four, a) == -EINVAL && bind_to(six, b) == -EINVAL, "it has one");
	CLOSE(four, six, local);
	(void)f;
}

CONFORMS(what_is_no_socket_has_no_address)
{
	union address a = v4(INADDR_LOOPBACK, 0);
	int fd = magi_sys_open("/dev/null", O_RDWR | O_CLOEXEC), value = 1;
	socklen_t size = sizeof(value), len = sizeof(a);

	(void)f;
	cr_assert(magi_sys_bind(fd, &a.any, sizeof(a.v4)) == -ENOTSOCK);
	cr_assert(magi_sys_listen(fd, 1) == -ENOTSOCK);
	cr_assert(magi_sys_connect(fd, &a.any, sizeof(a.v4)) == -ENOTSOCK);
	cr_assert(magi_sys_getsockname(fd, &a.any, &len) == -ENOTSOCK);
	cr_assert(magi_sys_getpeername(fd, &a.any, &len) == -ENOTSOCK);
	cr_assert(magi_sys_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, size) == -ENOTSOCK);
	cr_assert(magi_sys_getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size) == -ENOTSOCK);
	CLOSE(fd);
	cr_assert(magi_sys_bind(fd, &a.any, sizeof(a.v4)) == -EBADF);
	cr_assert(magi_sys_listen(fd, 1) == -EBADF);
	cr_assert(magi_sys_connect(fd, &a.any, sizeof(a.v4)) == -EBADF);
	cr_assert(magi_sys_getpeername(fd, &a.any, &len) == -EBADF);
	cr_assert(magi_sys_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &value, size) == -EBADF);
	cr_assert(magi_sys_getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &size) == -EBADF);
	cr_assert(magi_sys_fcntl(fd, F_GETFL, 0) == -EBADF);
}

CONFORMS(a_socket_without_an_address_says_so)
{
	int four = socket_of(AF_INET, SOCK_STREAM), six = socket_of(AF_INET6, SOCK_STREAM);
	int local = socket_of(AF_UNIX, SOCK_STREAM), pair[2];
	union address a = { 0 };
	socklen_t len;

	(void)f;
	len = sizeof(a);
	cr_assert(magi_sys_getsockname(four, &a.any, &len) == 0 && len == sizeof(a.v4));
	cr_assert(a.any.sa_family == AF_INET && a.v4.sin_port == 0 && a.v4.sin_addr.s_addr == 0);
	len = sizeof(a);
	cr_assert(magi_sys_getsockname(six, &a.any, &len) == 0 && len == sizeof(a.v6) && a.any.sa_family == AF_INET6);
	len = sizeof(a);
	cr_assert(magi_sys_getsockname(local, &a.any, &len) == 0 && len == UNIX_PATH_AT &&
		  a.any.sa_family == AF_UNIX);
	len = sizeof(a);
	cr_assert(magi_sys_getpeername(four, &a.any, &len) == -ENOTCONN);
	cr_assert(magi_sys_getpeername(local, &a.any, &len) == -ENOTCONN);
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	cr_assert(magi_sys_getpeername(pair[0], &a.any, &len) == 0 && len == UNIX_PATH_AT, "a peer without a name");
	CLOSE(four, six, local, pair[0], pair[1]);
}

CONFORMS(a_name_that_finds_no_room_is_cut_and_tells_its_length)
{
	int fd = bound(AF_INET, SOCK_DGRAM, v4(INADDR_LOOPBACK, 0));
	union address a;
	socklen_t len = sizeof(sa_family_t);

	(void)f;
	memset(&a, 0x55, sizeof(a));
	cr_assert(magi_sys_getsockname(fd, &a.any, &len) == 0);
	cr_assert(len == sizeof(a.v4) && a.any.sa_family == AF_INET && a.v4.sin_port == 0x5555);
	CLOSE(fd);
}

CONFORMS(an_address_in_use_is_not_given_twice)
{
	uint16_t port = lone_port();
	int a = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, port)), b = socket_of(AF_INET, SOCK_STREAM);
	int datagram = socket_of(AF_INET, SOCK_DGRAM), other = socket_of(AF_INET, SOCK_STREAM);

	(void)f;
	cr_assert(bind_to(b, v4(INADDR_LOOPBACK, port)) == -EADDRINUSE);
	cr_assert(bind_to(b, v4(INADDR_ANY, port)) == -EADDRINUSE);
	cr_assert(bind_to(other, v4(INADDR_LOOPBACK + 1, port)) == 0, "another host's");
	CLOSE(a);
	a = socket_of(AF_INET, SOCK_STREAM);
	cr_assert(bind_to(a, v4(INADDR_ANY, port)) == -EADDRINUSE, "nor with one that is one of many");
	CLOSE(other);
	other = socket_of(AF_INET, SOCK_STREAM);
	cr_assert(bind_to(a, v4(INADDR_ANY, port)) == 0);
	cr_assert(bind_to(b, v4(INADDR_LOOPBACK, port)) == -EADDRINUSE && bind_to(other, name_of(a)) == -EADDRINUSE);
	cr_assert(bind_to(datagram, v4(INADDR_LOOPBACK, port)) == 0, "another protocol's");
	CLOSE(a, b, datagram, other);
}

CONFORMS(ipv6_takes_the_ports_of_ipv4_unless_it_is_told_not_to)
{
	uint16_t port = lone_port();
	int four = bound(AF_INET, SOCK_STREAM, v4(INADDR_ANY, port));
	int both = socket_of(AF_INET6, SOCK_STREAM), only = socket_of(AF_INET6, SOCK_STREAM);

	(void)f;
	set_on(only, IPPROTO_IPV6, IPV6_V6ONLY);
	cr_assert(bind_to(both, v6(in6addr_any, port)) == -EADDRINUSE);
	cr_assert(bind_to(only, v6(in6addr_any, port)) == 0);
	CLOSE(four, both);
	four = socket_of(AF_INET, SOCK_STREAM);
	cr_assert(bind_to(four, v4(INADDR_ANY, port)) == 0, "nor is it taken from the other side");
	CLOSE(four, only);
}

/* An IPv4 host as IPv6 writes it. */
static struct in6_addr mapped(uint32_t host)
{
	struct in6_addr six = in6addr_any;

	host = htonl(host);
	memset(&six.s6_addr[10], 0xff, 2);
	memcpy(&six.s6_addr[12], &host, sizeof(host));
	return six;
}

CONFORMS(an_ipv4_host_is_the_same_one_by_ipv6)
{
	uint16_t port = lone_port();
	int four = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, port)), a = socket_of(AF_INET6, SOCK_STREAM);
	int b = socket_of(AF_INET6, SOCK_STREAM), local = bound(AF_UNIX, SOCK_STREAM, path_of("beside"));

	cr_assert(bind_to(a, v6(mapped(INADDR_LOOPBACK), port)) == -EADDRINUSE);
	cr_assert(bind_to(a, v6(mapped(INADDR_LOOPBACK + 1), port)) == 0);
	cr_assert(bind_to(b, v6(in6addr_loopback, port)) == 0);
	CLOSE(four);
	four = socket_of(AF_INET, SOCK_STREAM);
	cr_assert(bind_to(four, v4(INADDR_LOOPBACK + 1, port)) == -EADDRINUSE);
	cr_assert(bind_to(four, v4(INADDR_LOOPBACK, port)) == 0);
	cr_assert(do_unlink(f, path_of("beside")) == 0);
	CLOSE(four, a, b, local);
}

CONFORMS(a_local_address_may_be_shared_until_one_listens)
{
	int a = socket_of(AF_INET, SOCK_STREAM), b = socket_of(AF_INET, SOCK_STREAM);
	int late = socket_of(AF_INET, SOCK_STREAM), selfish = socket_of(AF_INET, SOCK_STREAM);
	uint16_t port;

	(void)f;
	set_on(a, SOL_SOCKET, SO_REUSEADDR);
	set_on(b, SOL_SOCKET, SO_REUSEADDR);
	set_on(late, SOL_SOCKET, SO_REUSEADDR);
	cr_assert(bind_to(a, v4(INADDR_LOOPBACK, 0)) == 0);
	port = port_of(a);
	cr_assert(bind_to(b, v4(INADDR_LOOPBACK, port)) == 0);
	cr_assert(bind_to(selfish, v4(INADDR_LOOPBACK, port)) == -EADDRINUSE);
	cr_assert(magi_sys_listen(a, 4) == 0);
	cr_assert(magi_sys_listen(b, 4) == -EADDRINUSE);
	cr_assert(bind_to(late, v4(INADDR_LOOPBACK, port)) == -EADDRINUSE);
	CLOSE(a, b, late);
	cr_assert(bind_to(selfish, v4(INADDR_LOOPBACK, 0)) == 0);
	late = socket_of(AF_INET, SOCK_STREAM);
	set_on(late, SOL_SOCKET, SO_REUSEADDR);
	set_on(late, SOL_SOCKET, SO_REUSEPORT);
	cr_assert(bind_to(late, name_of(selfish)) == -EADDRINUSE, "one is not enough");
	CLOSE(selfish, late);
}

CONFORMS(listeners_share_a_port_when_all_agree)
{
	int a = socket_of(AF_INET, SOCK_STREAM), b = socket_of(AF_INET, SOCK_STREAM);
	int selfish = socket_of(AF_INET, SOCK_STREAM), client = socket_of(AF_INET, SOCK_STREAM);
	uint16_t port;

	set_on(a, SOL_SOCKET, SO_REUSEPORT);
	set_on(b, SOL_SOCKET, SO_REUSEPORT);
	cr_assert(bind_to(a, v4(INADDR_LOOPBACK, 0)) == 0);
	port = port_of(a);
	cr_assert(bind_to(b, v4(INADDR_LOOPBACK, port)) == 0);
	cr_assert(magi_sys_listen(a, 16) == 0 && magi_sys_listen(b, 16) == 0);
	cr_assert(bind_to(selfish, v4(INADDR_LOOPBACK, port)) == -EADDRINUSE);
	for (int i = 0; i < 8; i++) { /* now one of them, now the other */
		cr_assert(do_connect(f, client, v4(INADDR_LOOPBACK, port)) == 0);
		CLOSE(client);
		client = socket_of(AF_INET, SOCK_STREAM);
	}
	CLOSE(a, b, selfish, client);
}

CONFORMS(datagram_sockets_share_a_port_when_all_agree)
{
	int a = socket_of(AF_INET, SOCK_DGRAM), b = socket_of(AF_INET, SOCK_DGRAM), c = socket_of(AF_INET, SOCK_DGRAM);
	uint16_t port;

	(void)f;
	set_on(a, SOL_SOCKET, SO_REUSEADDR);
	set_on(b, SOL_SOCKET, SO_REUSEADDR);
	cr_assert(bind_to(a, v4(INADDR_LOOPBACK, 0)) == 0);
	port = port_of(a);
	cr_assert(bind_to(b, v4(INADDR_LOOPBACK, port)) == 0);
	cr_assert(bind_to(c, v4(INADDR_LOOPBACK, port)) == -EADDRINUSE);
	CLOSE(a, b, c);
}

CONFORMS(options_are_what_they_were_set_to)
{
	int stream = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0)), six = socket_of(AF_INET6, SOCK_DGRAM);
	struct {
		int value, behind;
	} large = { -1, 77 };
	socklen_t size = sizeof(large);
	int16_t small = -1;

	(void)f;
	cr_assert(get(stream, SOL_SOCKET, SO_TYPE) == SOCK_STREAM && get(six, SOL_SOCKET, SO_TYPE) == SOCK_DGRAM);
	cr_assert(get(stream, SOL_SOCKET, SO_DOMAIN) == AF_INET && get(six, SOL_SOCKET, SO_DOMAIN) == AF_INET6);
	cr_assert(get(stream, SOL_SOCKET, SO_ACCEPTCONN) == 0);
	cr_assert(magi_sys_listen(stream, 1) == 0 && get(stream, SOL_SOCKET, SO_ACCEPTCONN) == 1);
	cr_assert(get(stream, SOL_SOCKET, SO_REUSEADDR) == 0 && get(stream, SOL_SOCKET, SO_REUSEPORT) == 0);
	set_on(stream, SOL_SOCKET, SO_REUSEADDR);
	set_on(six, SOL_SOCKET, SO_REUSEPORT);
	cr_assert(get(stream, SOL_SOCKET, SO_REUSEADDR) == 1 && get(six, SOL_SOCKET, SO_REUSEPORT) == 1);
	cr_assert(get(six, IPPROTO_IPV6, IPV6_V6ONLY) == 0);
	set_on(six, IPPROTO_IPV6, IPV6_V6ONLY);
	cr_assert(get(six, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
	cr_assert(get(stream, SOL_SOCKET, SO_ERROR) == 0 && get(stream, SOL_SOCKET, SO_BROADCAST) == 0);
	cr_assert(get(stream, IPPROTO_TCP, TCP_CORK) == 0 && get(six, IPPROTO_IPV6, IPV6_RECVPKTINFO) == 0);
	set_on(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS);
	cr_assert(magi_sys_setsockopt(stream, SOL_SOCKET, SO_REUSEADDR, &small, sizeof(small)) == -EINVAL);
	cr_assert(magi_sys_getsockopt(stream, SOL_SOCKET, SO_TYPE, &large, &size) == 0);
	cr_assert(size == sizeof(int) && large.value == SOCK_STREAM && large.behind == 77);
	size = sizeof(small);
	cr_assert(magi_sys_getsockopt(stream, SOL_SOCKET, SO_TYPE, &small, &size) == 0);
	cr_assert(size == sizeof(small) && small == SOCK_STREAM, "as much as there is room for");
	CLOSE(stream, six);
}

CONFORMS(flags_of_a_descriptor_are_kept)
{
	int fd = magi_sys_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)f;
	cr_assert(magi_sys_fcntl(fd, F_GETFL, 0) == (O_RDWR | O_NONBLOCK));
	cr_assert(magi_sys_fcntl(fd, F_SETFL, 0) == 0);
	cr_assert(magi_sys_fcntl(fd, F_GETFL, 0) == O_RDWR);
	cr_assert(magi_sys_fcntl(fd, F_GETFD, 0) == FD_CLOEXEC);
	cr_assert(magi_sys_fcntl(fd, F_SETFD, FD_CLOEXEC) == 0);
	cr_assert(magi_sys_fcntl(fd, 12345, 0) == -EINVAL);
	CLOSE(fd);
}

CONFORMS(who_may_listen)
{
	int datagram = socket_of(AF_INET, SOCK_DGRAM), nameless = socket_of(AF_UNIX, SOCK_STREAM);
	int anywhere = socket_of(AF_INET, SOCK_STREAM), client = socket_of(AF_INET, SOCK_STREAM), pair[2];

	cr_assert(magi_sys_listen(datagram, 1) == -EOPNOTSUPP);
	cr_assert(magi_sys_listen(nameless, 1) == -EINVAL);
	cr_assert(magi_sys_listen(anywhere, 0) == 0, "it is given a port");
	cr_assert(port_of(anywhere) != 0);
	cr_assert(do_connect(f, client, v4(INADDR_LOOPBACK, port_of(anywhere))) == 0);
	cr_assert(magi_sys_listen(client, 1) == -EINVAL, "it is connected");
	cr_assert(magi_sys_socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	cr_assert(magi_sys_listen(pair[0], 1) == -EINVAL);
	CLOSE(datagram, nameless, client, pair[0], pair[1]);
	nameless = bound(AF_UNIX, SOCK_STREAM, path_of("listens"));
	cr_assert(magi_sys_listen(nameless, 1) == 0 && magi_sys_listen(nameless, 2) == 0, "with another backlog");
	datagram = socket_of(AF_INET6, SOCK_STREAM);
	set_on(datagram, IPPROTO_IPV6, IPV6_V6ONLY);
	cr_assert(bind_to(datagram, v6(in6addr_any, port_of(anywhere))) == 0 && magi_sys_listen(datagram, 1) == 0);
	client = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0));
	cr_assert(magi_sys_listen(client, 1) == 0, "others listen, too");
	cr_assert(do_unlink(f, path_of("listens")) == 0);
	CLOSE(datagram, nameless, anywhere, client);
}

CONFORMS(a_path_is_one_sockets)
{
	union address at = path_of("path"), below = at;
	int a = bound(AF_UNIX, SOCK_STREAM, at), b = socket_of(AF_UNIX, SOCK_STREAM), client;
	union address root = { .local = { .sun_family = AF_UNIX, .sun_path = "/" } };
	union address nowhere = { .local = { .sun_family = AF_UNIX, .sun_path = "/tmp/none/such" } };

	strcat(below.local.sun_path, "/x");
	cr_assert(bind_to(b, at) == -EADDRINUSE && bind_to(b, root) == -EADDRINUSE);
	cr_assert(bind_to(b, nowhere) == -ENOENT && bind_to(b, below) == -ENOTDIR);
	cr_assert(strcmp(name_of(a).local.sun_path, at.local.sun_path) == 0);
	client = socket_of(AF_UNIX, SOCK_STREAM);
	cr_assert(do_connect(f, client, at) == -ECONNREFUSED, "nobody listens yet");
	cr_assert(do_connect(f, client, nowhere) == -ENOENT && do_connect(f, client, below) == -ENOTDIR);
	cr_assert(magi_sys_listen(a, 4) == 0);
	cr_assert(do_connect(f, client, at) == 0);
	CLOSE(a, client);
	client = socket_of(AF_UNIX, SOCK_STREAM);
	cr_assert(do_connect(f, client, at) == -ECONNREFUSED, "the path is still there");
	cr_assert(bind_to(b, at) == -EADDRINUSE);
	cr_assert(do_unlink(f, at) == 0);
	cr_assert(do_connect(f, client, at) == -ENOENT);
	cr_assert(bind_to(b, at) == 0);
	cr_assert(do_unlink(f, at) == 0);
	CLOSE(b, client);
}

CONFORMS(a_path_leads_to_sockets_of_its_type_alone)
{
	union address at = path_of("type"), file = { .local = { .sun_family = AF_UNIX, .sun_path = "/dev/null" } };
	int listener = bound(AF_UNIX, SOCK_STREAM, at);
	int datagram = socket_of(AF_UNIX, SOCK_DGRAM), stream = socket_of(AF_UNIX, SOCK_STREAM);

	cr_assert(magi_sys_listen(listener, 1) == 0);
	cr_assert(magi_sys_connect(datagram, &at.any, length_of(&at)) == -EPROTOTYPE);
	cr_assert(magi_sys_connect(datagram, &file.any, length_of(&file)) == -ECONNREFUSED);
	cr_assert(do_connect(f, stream, file) == -ECONNREFUSED);
	cr_assert(do_unlink(f, at) == 0);
	CLOSE(listener, datagram, stream);
}

CONFORMS(a_name_that_is_no_file_goes_with_its_socket)
{
	union address name = { .local = { .sun_family = AF_UNIX } }, picked = { 0 };
	int a = socket_of(AF_UNIX, SOCK_STREAM), b = socket_of(AF_UNIX, SOCK_STREAM), client;
	union address other = { .local = { .sun_family = AF_UNIX, .sun_path = "\0magpie" } };
	int c = socket_of(AF_UNIX, SOCK_STREAM), d = socket_of(AF_UNIX, SOCK_STREAM);
	int ip = bound(AF_INET, SOCK_STREAM, v4(INADDR_LOOPBACK, 0));
	socklen_t len = sizeof(picked);

	cr_assert(magi_sys_bind(a, &name.any, UNIX_PATH_AT) == 0, "the system picks one");
	cr_assert(magi_sys_getsockname(a, &picked.any, &len) == 0);
	cr_assert(len == UNIX_PATH_AT + 6 && picked.local.sun_path[0] == 0);
	cr_assert(magi_sys_bind(b, &picked.any, len) == -EADDRINUSE);
	cr_assert(magi_sys_listen(a, 1) == 0);
	cr_assert(magi_sys_bind(c, &other.any, UNIX_PATH_AT + 3) == 0 && magi_sys_bind(d, &other.any, len) == 0);
	client = socket_of(AF_UNIX, SOCK_STREAM);
	cr_assert(do_move(f, MAGI_IO_CONNECT, client, &name, UNIX_PATH_AT, 0) == -EINVAL, "that is no name");
	cr_assert(do_move(f, MAGI_IO_CONNECT, client, &picked, len, 0) == 0);
	CLOSE(a, client);
	client = socket_of(AF_UNIX, SOCK_STREAM);
	cr_assert(do_move(f, MAGI_IO_CONNECT, client, &picked, len, 0) == -ECONNREFUSED);
	cr_assert(magi_sys_bind(b, &picked.any, len) == 0);
	CLOSE(b, c, d, ip, client);
}
