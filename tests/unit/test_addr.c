/* SPDX-License-Identifier: MIT */
/* test_addr.c - addresses as text and back. */
#include <criterion/criterion.h>
#include <errno.h>
#include <magpie/addr.h>
#include <magpie/error.h>
#include <magpie/unix.h>
#include <netinet/in.h>
#include <string.h>

Test(addr, text_and_back)
{
	static const char *const good[] = {
		"127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0", "[2001:db8::1]:443",
		"[::ffff:1.2.3.4]:1", "unix:/run/some.socket", "unix:@abstract", "unix:relative",
	};
	char text[MAG_ADDR_TEXT_MAX];
	mag_addr addr, again;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		cr_assert_eq(mag_addr_parse(&addr, good[i]), 0, "%s", good[i]);
		cr_assert_eq(mag_addr_format(&addr, text, sizeof(text)), (int)strlen(good[i]), "%s", good[i]);
		cr_assert_str_eq(text, good[i]);
		cr_assert_eq(mag_addr_parse(&again, text), 0);
		cr_assert(mag_addr_equal(&addr, &again));
	}
}

Test(addr, what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"", ":", "80", "127.0.0.1", "127.0.0.1:", ":80", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:+1",
		"127.0.0.1: 1",
		"127.0.0.1:123456", "127.0.0.1:1x", "127.1:80", "1.2.3.4.5:80", "256.0.0.1:80", "::1:80",
		"[::1]", "[::1]80", "[::1:80", "[]:80", "[127.0.0.1]:80", "[::1%]:80", "[::1%nosuchinterface]:80",
		"localhost:80", "unix:",
	};
	mag_addr addr;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(mag_addr_parse(&addr, bad[i]), -EINVAL, "%s", bad[i]);
		cr_assert_eq(addr.len, 0);
	}
	cr_assert_eq(mag_addr_parse(&addr, NULL), -EINVAL);
	cr_assert_eq(mag_addr_parse(NULL, "127.0.0.1:1"), -EINVAL);
}

Test(addr, long_text_is_refused)
{
	char text[400] = "[";
	mag_addr addr;

	memset(text + 1, '1', 300);
	strcpy(text + 301, "]:80");
	cr_assert_eq(mag_addr_parse(&addr, text), -EINVAL);
	text[0] = '1';
	cr_assert_eq(mag_addr_parse(&addr, text), -EINVAL);
}

Test(addr, a_path_fits_or_is_refused)
{
	char path[200];
	char text[MAG_ADDR_TEXT_MAX];
	mag_addr addr;

	memset(path, 'p', sizeof(path));
	path[MAG_UNIX_PATH_MAX] = 0;
	cr_assert_eq(mag_addr_unix(&addr, path), 0);
	cr_assert_eq(mag_addr_format(&addr, text, sizeof(text)), 5 + MAG_UNIX_PATH_MAX);
	cr_assert_str_eq(text + 5, path);
	path[MAG_UNIX_PATH_MAX] = 'p';
	path[MAG_UNIX_PATH_MAX + 1] = 0;
	cr_assert_eq(mag_addr_unix(&addr, path), MAG_ETOOLONG);
	cr_assert_eq(addr.len, 0);
	path[0] = '@';
	cr_assert_eq(mag_addr_unix(&addr, path), 0);
	cr_assert_eq(mag_addr_format(&addr, text, sizeof(text)), 5 + MAG_UNIX_PATH_MAX + 1);
	cr_assert_str_eq(text + 5, path);
	path[MAG_UNIX_PATH_MAX + 1] = 'p';
	path[MAG_UNIX_PATH_MAX + 2] = 0;
	cr_assert_eq(mag_addr_unix(&addr, path), MAG_ETOOLONG);
	cr_assert_eq(mag_addr_unix(&addr, ""), -EINVAL);
	cr_assert_eq(mag_addr_unix(&addr, NULL), -EINVAL);
	cr_assert_eq(mag_addr_unix(NULL, "x"), -EINVAL);
}

Test(addr, room_for_text_is_checked)
{
	char text[MAG_ADDR_TEXT_MAX];
	mag_addr addr;

	mag_addr_parse(&addr, "127.0.0.1:80");
	cr_assert_eq(mag_addr_format(&addr, text, 12), -ENOSPC);
	cr_assert_str_empty(text);
	cr_assert_eq(mag_addr_format(&addr, text, 13), 12);
	cr_assert_eq(mag_addr_format(&addr, NULL, 13), -EINVAL);
	cr_assert_eq(mag_addr_format(&addr, text, 0), -EINVAL);
	cr_assert_eq(mag_addr_format(NULL, text, 13), -EINVAL);
	addr.len = 0;
	cr_assert_eq(mag_addr_format(&addr, text, 13), -EINVAL);
	addr.len = 16;
	addr.storage.ss_family = AF_PACKET;
	cr_assert_eq(mag_addr_format(&addr, text, 13), -EINVAL);
}

Test(addr, ports)
{
	mag_addr addr, other;

	mag_addr_parse(&addr, "[::1]:80");
	cr_assert_eq(mag_addr_port(&addr), 80);
	cr_assert_eq(mag_addr_set_port(&addr, 65535), 0);
	cr_assert_eq(mag_addr_port(&addr), 65535);
	mag_addr_parse(&other, "[::1]:80");
	cr_assert_not(mag_addr_equal(&addr, &other));
	cr_assert_not(mag_addr_equal(&addr, NULL));
	mag_addr_unix(&addr, "x");
	cr_assert_eq(mag_addr_port(&addr), -EINVAL);
	cr_assert_eq(mag_addr_set_port(&addr, 1), -EINVAL);
	cr_assert_eq(mag_addr_port(NULL), -EINVAL);
	cr_assert_eq(mag_addr_set_port(NULL, 1), -EINVAL);
}
