/* SPDX-License-Identifier: MIT */
/* test_load_url.c - for tools/magpie/load_url.c and load_request.c, which no library contains: they are compiled in
 * here. */
#include <criterion/criterion.h>
#include <string.h>

#include "../../tools/magpie/load_request.c"
#include "../../tools/magpie/load_url.c"

static const struct {
	const char *text, *host, *port, *authority, *target;
	bool tls;
} right[] = {
	{ "http://localhost", "localhost", "80", "localhost", "/", false },
	{ "http://localhost/", "localhost", "80", "localhost", "/", false },
	{ "HTTP://Example.org:8080/a/b?c=d&e#f", "Example.org", "8080", "Example.org:8080", "/a/b?c=d&e", false },
	{ "http://h:80/", "h", "80", "h", "/", false },
	{ "http://h:00080/", "h", "80", "h", "/", false },
	{ "http://h:/x", "h", "80", "h", "/x", false },
	{ "https://h/", "h", "443", "h", "/", true },
	{ "https://h:80/", "h", "80", "h:80", "/", true },
	{ "http://127.0.0.1:8080?x", "127.0.0.1", "8080", "127.0.0.1:8080", "/?x", false },
	{ "http://[::1]:8080/", "::1", "8080", "[::1]:8080", "/", false },
	{ "http://[::1]", "::1", "80", "[::1]", "/", false },
	{ "http://[fe80::1%25eth0]/x", "fe80::1%eth0", "80", "[fe80::1]", "/x", false },
	{ "localhost:8080/x", "localhost", "8080", "localhost:8080", "/x", false },
	{ "http:8080/x", "http", "8080", "http:8080", "/x", false },
	{ "https/x", "https", "80", "https", "/x", false },
	{ "localhost/a://b", "localhost", "80", "localhost", "/a://b", false },
	{ "http://h/%41%2f%C3%a4", "h", "80", "h", "/%41%2f%C3%a4", false },
	{ "http://h/\xc3\xa4{}|\"<>\\^`", "h", "80", "h", "/%C3%A4%7B%7D%7C%22%3C%3E%5C%5E%60", false },
	{ "http://h/a[0]", "h", "80", "h", "/a%5B0%5D", false },
	{ "http://h#f", "h", "80", "h", "/", false },
	{ "http://h/a;b=c,d!$&'()*+@:~_-.", "h", "80", "h", "/a;b=c,d!$&'()*+@:~_-.", false },
};

static const char *const wrong[] = {
	"",
	"http://",
	"http:///x",
	"http:/h",
	"HTTPS:h/",
	"http:",
	"ftp://h/",
	"ws://h/",
	"http://user@h/",
	"http://user:word@h/",
	"http://h:99999/",
	"http://h:0/",
	"http://h:8o/",
	"http://h:-1/",
	"http://::1/",
	"http://[::1/",
	"http://[::1]x/",
	"http://[127.0.0.1]/",
	"http://[]/",
	"http://[fe80::1%25]/",
	"http://[fe80::1%25a/b]/",
	"http://h h/",
	"http://h%41/",
	"http://h\x01/",
	"http://h/a b",
	"http://h/\t",
	"http://h/\r\nX: y",
	"http://h/%",
	"http://h/%4",
	"http://h/%zz",
	"http://h/\x7f",
};

Test(load_url, parts_of_what_is_right, .timeout = 10)
{
	for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
		struct load_url url;
		const char *why = load_url_read(&url, right[i].text);

		cr_assert(!why, "%s: %s", right[i].text, why);
		cr_assert(!strcmp(url.host, right[i].host) && !strcmp(url.port, right[i].port) &&
				  !strcmp(url.authority, right[i].authority) && !strcmp(url.target, right[i].target) &&
				  url.tls == right[i].tls,
			  "%s: %s %s %s %s", right[i].text, url.host, url.port, url.authority, url.target);
	}
}

Test(load_url, what_is_wrong_is_said, .timeout = 10)
{
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct load_url url;
		const char *why = load_url_read(&url, wrong[i]);

		cr_assert(why && strlen(why) > 10 && !strchr(why, '\n'), "%s", wrong[i]);
	}
}

Test(load_url, the_longest_fits_and_a_longer_one_is_refused, .timeout = 10)
{
	static char text[LOAD_URL_MAX + 2] = "http://h/";
	struct load_url url;
	size_t n = strlen(text);

	memset(text + n, '{', LOAD_URL_MAX - n); /* each becomes three bytes */
	cr_assert(!load_url_read(&url, text) && strlen(url.target) == 1 + 3 * (LOAD_URL_MAX - n));
	text[LOAD_URL_MAX] = '{';
	cr_assert(load_url_read(&url, text));
	memset(text + 7, 'h', 256);
	strcpy(text + 7 + 256, "/");
	cr_assert(load_url_read(&url, text));
	strcpy(text + 7 + 255, ":12345/");
	cr_assert(!load_url_read(&url, text) && strlen(url.authority) == 255 + 6);
}

static char *make(const struct load_asked *asked, struct load_request *r)
{
	struct load_url url;

	cr_assert(!load_url_read(&url, "http://h:81/x"));
	cr_assert(load_request_make(r, &url, asked) == 0);
	return r->bytes;
}

Test(load_request, the_least_is_a_get, .timeout = 10)
{
	struct load_request r;

	make(&(struct load_asked){ 0 }, &r);
	cr_assert_str_eq(r.bytes, "GET /x HTTP/1.1\r\nHost: h:81\r\nUser-Agent: magpie/" MAGPIE_VERSION
				  "\r\nAccept: */*\r\n\r\n");
	cr_assert(r.len == strlen(r.bytes) && !r.head && r.idempotent);
	load_request_free(&r);
}

Test(load_request, a_body_has_its_length_and_fields_take_the_place_of_ours, .timeout = 10)
{
	struct load_asked asked = { .fields = { "host: other", "USER-AGENT: me", "Accept: x",
						"Connection: keep-alive" },
				    .field_count = 4,
				    .body = "a\0b",
				    .body_len = 3,
				    .close = true };
	static const char want[] = "POST /x HTTP/1.1\r\nhost: other\r\nUSER-AGENT: me\r\nAccept: x\r\n"
				   "Content-Length: 3\r\nConnection: close\r\n\r\na\0b";
	struct load_request r;

	make(&asked, &r);
	cr_assert(r.len == sizeof want - 1 && !memcmp(r.bytes, want, r.len), "%s", r.bytes);
	cr_assert(!r.idempotent);
	load_request_free(&r);
}

Test(load_request, head_is_known_and_some_methods_may_be_repeated, .timeout = 10)
{
	struct load_request r;

	make(&(struct load_asked){ .method = "HEAD" }, &r);
	cr_assert(r.head && r.idempotent && !strncmp(r.bytes, "HEAD /x ", 8));
	load_request_free(&r);
	make(&(struct load_asked){ .method = "PATCH", .body = "", .body_len = 0 }, &r);
	cr_assert(!r.head && !r.idempotent && strstr(r.bytes, "Content-Length: 0\r\n"));
	load_request_free(&r);
}

Test(load_request, fields_and_methods_that_would_break_the_request_are_refused, .timeout = 10)
{
	static const char *const fields[] = { "",
					      ":",
					      "a",
					      "a b: c",
					      ": x",
					      "x: a\r\nb: c",
					      "x: \x7f",
					      "Content-Length: 1",
					      "transfer-encoding: chunked",
					      "Expect: 100-continue",
					      "Upgrade: h2c" };

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		cr_assert(load_field_wrong(fields[i]), "%s", fields[i]);
	cr_assert(!load_field_wrong("x:") && !load_field_wrong("X-Y: a b\tc \xc3\xa4"));
	cr_assert(load_method_wrong("") && load_method_wrong("GET ") && load_method_wrong("G\r\n"));
	cr_assert(load_method_wrong("CONNECT") && !load_method_wrong("PURGE"));
}
