/* SPDX-License-Identifier: MIT */
/* test_http_smuggling.c - requests whose ends two servers could see in different places, and other malformed ones.
 *
 * Some carry what would be smuggled. "!400 closed" means that the error is told once and nothing after it is looked at.
 * Tried by putting each bug back: cases here or in test_http_request.c fail without the guard's check of the byte
 * before LF, of a line's first byte or of the request line's tail, without the check of the coding, of Host, of the
 * nameless field or of the target's place in http_head.c, with each lenient flag of llhttp, and with a loose build of
 * it. */
#include <criterion/criterion.h>

#include "story.h"

#define CHECK_ALL(cases) story_check_all((cases), sizeof(cases) / sizeof((cases)[0]))
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define NEXT "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

static const struct story_case lengths[] = {
	{ "with coding", BYTES(POST "Content-Length: 5\r\n" CHUNKED "\r\n0\r\n\r\n" NEXT), "!400 closed" },
	{ "after coding", BYTES(POST CHUNKED "Content-Length: 5\r\n\r\n0\r\n\r\n" NEXT), "!400 closed" },
	{ "0 with coding", BYTES(POST "Content-Length: 0\r\n" CHUNKED "\r\n0\r\n\r\n" NEXT), "!400 closed" },
	{ "with an empty coding", BYTES(POST "Transfer-Encoding:\r\nContent-Length: 3\r\n\r\nabc"), "!400 closed" },
	{ "twice", BYTES(POST "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc"), "!400 closed" },
	{ "twice, different", BYTES(POST "Content-Length: 3\r\nContent-length: 0\r\n\r\nabc"), "!400 closed" },
	{ "twice, 0 first", BYTES(POST "Content-Length: 0\r\nContent-Length: 3\r\n\r\nabc"), "!400 closed" },
	{ "list", BYTES(POST "Content-Length: 3, 3\r\n\r\nabc"), "!400 closed" },
	{ "plus", BYTES(POST "Content-Length: +3\r\n\r\nabc"), "!400 closed" },
	{ "minus", BYTES(POST "Content-Length: -3\r\n\r\nabc"), "!400 closed" },
	{ "minus 0", BYTES(POST "Content-Length: -0\r\n\r\n"), "!400 closed" },
	{ "hexadecimal", BYTES(POST "Content-Length: 0x3\r\n\r\nabc"), "!400 closed" },
	{ "letters", BYTES(POST "Content-Length: three\r\n\r\nabc"), "!400 closed" },
	{ "blank inside", BYTES(POST "Content-Length: 1 0\r\n\r\nabc"), "!400 closed" },
	{ "dot", BYTES(POST "Content-Length: 3.0\r\n\r\nabc"), "!400 closed" },
	{ "empty", BYTES(POST "Content-Length:\r\n\r\nabc"), "!400 closed" },
	{ "blank", BYTES(POST "Content-Length: \t\r\n\r\nabc"), "!400 closed" },
	{ "2^64", BYTES(POST "Content-Length: 18446744073709551616\r\n\r\nabc"), "!400 closed" },
	{ "folded", BYTES(POST "Content-Length: 1\r\n 0\r\n\r\nabc"), "!400 closed" },
	{ "other digits", BYTES(POST "Content-Length: \xd9\xa3\r\n\r\nabc"), "!400 closed" },
};

Test(http_smuggling, length_is_one_number_and_alone, .timeout = 60)
{
	CHECK_ALL(lengths);
}

static const struct story_case codings[] = {
	{ "1.0", BYTES("POST / HTTP/1.0\r\n" CHUNKED "\r\n0\r\n\r\n"), "!400 closed" },
	{ "1.0, empty", BYTES("POST / HTTP/1.0\r\nTransfer-Encoding:\r\n\r\n"), "!400 closed" },
	{ "not last", BYTES(POST "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "not there", BYTES(POST "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "identity", BYTES(POST "Transfer-Encoding: identity\r\n\r\n"), "!400 closed" },
	{ "empty", BYTES(POST "Transfer-Encoding:\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "twice", BYTES(POST "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "two fields", BYTES(POST CHUNKED CHUNKED "\r\n0\r\n\r\n"), "!400 closed" },
	{ "second field empty", BYTES(POST CHUNKED "Transfer-Encoding:\r\n\r\n0\r\n\r\n"), "!501 closed" },
	{ "not last, two fields", BYTES(POST CHUNKED "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "last of two", BYTES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), "!501 closed" },
	{ "last of two fields", BYTES(POST "Transfer-Encoding: gzip\r\n" CHUNKED "\r\n0\r\n\r\n"), "!501 closed" },
	{ "empty element", BYTES(POST "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"), "!501 closed" },
	{ "comma behind", BYTES(POST "Transfer-Encoding: chunked,\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "longer", BYTES(POST "Transfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "shorter", BYTES(POST "Transfer-Encoding: chunke\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "x in front", BYTES(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "parameter", BYTES(POST "Transfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "quoted", BYTES(POST "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "vertical tab",
	  BYTES(POST "Transfer-Encoding: \x0b"
		     "chunked\r\n\r\n0\r\n\r\n"),
	  "!400 closed" },
	{ "folded", BYTES(POST "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "blank before the colon", BYTES(POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "tab before the colon", BYTES(POST "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "blank in front", BYTES(POST " Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "carriage return before it", BYTES(POST "X: y\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "!400 closed" },
	{ "underscore", BYTES(POST "Transfer_Encoding: chunked\r\n\r\n" NEXT), "POST / 1.1 @56 GET /x 1.1 @84 idle" },
};

Test(http_smuggling, coding_is_chunked_and_nothing_else, .timeout = 60)
{
	CHECK_ALL(codings);
}

static const struct story_case ends[] = {
	{ "LF after the request line", BYTES("GET / HTTP/1.1\nHost: a\r\n\r\n"), "!400 closed" },
	{ "LF after a field", BYTES("GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"), "!400 closed" },
	{ "LF after an empty field", BYTES("GET / HTTP/1.1\r\nHost:\nX: y\r\n\r\n"), "!400 closed" },
	{ "LF at the head's end", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\n" NEXT), "!400 closed" },
	{ "LF alone", BYTES("GET / HTTP/1.1\nHost: a\n\n"), "!400 closed" },
	{ "LF before", BYTES("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "CR before", BYTES("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "CR CR before", BYTES("\r\rGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "two empty lines before", BYTES("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "CR after the request line", BYTES("GET / HTTP/1.1\rHost: a\r\n\r\n"), "!400 closed" },
	{ "CR after a field", BYTES("GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n"), "!400 closed" },
	{ "CR in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: y\rz\r\n\r\n"), "!400 closed" },
	{ "CR at a value's start", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX:\ry\r\n\r\n"), "!400 closed" },
	{ "CR in a name", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX\rY: y\r\n\r\n"), "!400 closed" },
	{ "CR CR LF", BYTES("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), "!400 closed" },
	{ "CR CR LF at the head's end", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"), "!400 closed" },
	{ "folded", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n z\r\n\r\n"), "!400 closed" },
	{ "folded by a tab", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\tz\r\n\r\n"), "!400 closed" },
	{ "folded, empty", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX:\r\n z\r\n\r\n"), "!400 closed" },
	{ "folded into nothing", BYTES("GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n"), "!400 closed" },
	{ "blank before the first field", BYTES("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), "!400 closed" },
	{ "blank before the colon", BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), "!400 closed" },
	{ "NUL in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: y\0z\r\n\r\n"), "!400 closed" },
	{ "NUL in a name", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX\0: y\r\n\r\n"), "!400 closed" },
	{ "NUL in the host", BYTES("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), "!400 closed" },
	{ "NUL in the target", BYTES("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "control in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: \x01\r\n\r\n"), "!400 closed" },
	{ "delete in a value", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n"), "!400 closed" },
	{ "no name", BYTES("GET / HTTP/1.1\r\nHost: a\r\n: y\r\n\r\n"), "!400 closed" },
	{ "no colon", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n"), "!400 closed" },
	{ "bracket in a name", BYTES("GET / HTTP/1.1\r\nHost: a\r\nX[]: y\r\n\r\n"), "!400 closed" },
	{ "above 127 in a name", BYTES("GET / HTTP/1.1\r\nHost: a\r\n\xc3\xa9: y\r\n\r\n"), "!400 closed" },
};

Test(http_smuggling, lines_and_fields_have_one_form, .timeout = 60)
{
	CHECK_ALL(ends);
}

static const struct story_case request_lines[] = {
	{ "two blanks", BYTES("GET  / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "two blanks before the version", BYTES("GET /  HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "blank behind", BYTES("GET / HTTP/1.1 \r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "blank in front", BYTES(" GET / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "tabs", BYTES("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "blank in the target", BYTES("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "no target", BYTES("GET HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "empty target", BYTES("GET  HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "relative target", BYTES("GET a/b HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "above 127", BYTES("GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "0.9", BYTES("GET /\r\n"), "!400 closed" },
	{ "0.9 with fields", BYTES("GET /\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "0.9, LF", BYTES("GET /\n"), "!400 closed" },
	{ "0.9 by name", BYTES("GET / HTTP/0.9\r\n\r\n"), "!505 closed" },
	{ "1.2", BYTES("GET / HTTP/1.2\r\nHost: a\r\n\r\n"), "!505 closed" },
	{ "2.0", BYTES("GET / HTTP/2.0\r\nHost: a\r\n\r\n"), "!505 closed" },
	{ "HTTP/2 with prior knowledge", BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "!505 closed" },
	{ "1.10", BYTES("GET / HTTP/1.10\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "01.1", BYTES("GET / HTTP/01.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "1", BYTES("GET / HTTP/1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "letter", BYTES("GET / HTTP/1.x\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "lower case", BYTES("GET / http/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "another protocol", BYTES("GET / RTSP/1.0\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "a third", BYTES("SOURCE / ICE/1.0\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "a method of another", BYTES("DESCRIBE / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "unknown method", BYTES("FOO / HTTP/1.1\r\nHost: a\r\n\r\n"), "!501 closed" },
	{ "method that goes on", BYTES("GETS / HTTP/1.1\r\nHost: a\r\n\r\n"), "!501 closed" },
	{ "method that stops", BYTES("GE / HTTP/1.1\r\nHost: a\r\n\r\n"), "!501 closed" },
	{ "lower case method", BYTES("get / HTTP/1.1\r\nHost: a\r\n\r\n"), "!501 closed" },
	{ "no token", BYTES("G(T / HTTP/1.1\r\nHost: a\r\n\r\n"), "!400 closed" },
	{ "TLS", BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), "!400 closed" },
	{ "LF", BYTES("GET\n"), "!400 closed" },
	{ "a response", BYTES("HTTP/1.1 200 OK\r\n\r\n"), "!501 closed" },
};

Test(http_smuggling, request_line_has_one_form, .timeout = 60)
{
	CHECK_ALL(request_lines);
}

#define CHUNKS POST CHUNKED "\r\n"

static const struct story_case chunks[] = {
	{ "LF after the size", BYTES(CHUNKS "1\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "CR after the size", BYTES(CHUNKS "1\ra\r\n0\r\n\r\n"), "!400 closed" },
	{ "LF after the data", BYTES(CHUNKS "1\r\na\n0\r\n\r\n"), "!400 closed" },
	{ "CR after the data", BYTES(CHUNKS "1\r\na\r0\r\n\r\n"), "!400 closed" },
	{ "data too long", BYTES(CHUNKS "1\r\nabc\r\n0\r\n\r\n"), "!400 closed" },
	{ "LF at the end", BYTES(CHUNKS "0\r\n\n" NEXT), "!400 closed" },
	{ "LF in the trailer", BYTES(CHUNKS "0\r\nX: y\n\r\n"), "!400 closed" },
	{ "folded trailer", BYTES(CHUNKS "0\r\nX: y\r\n z\r\n\r\n"), "!400 closed" },
	{ "blank before the trailer", BYTES(CHUNKS "0\r\n X: y\r\n\r\n"), "!400 closed" },
	{ "NUL in the trailer", BYTES(CHUNKS "0\r\nX: \0\r\n\r\n"), "!400 closed" },
	{ "coding in the trailer", BYTES(CHUNKS "0\r\n" CHUNKED "\r\n"), "!400 closed" },
	{ "request in the trailer", BYTES(CHUNKS "0\r\n" NEXT), "!400 closed" },
	{ "no size", BYTES(CHUNKS "\r\n0\r\n\r\n"), "!400 closed" },
	{ "blank before the size", BYTES(CHUNKS " 1\r\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "blank after the size", BYTES(CHUNKS "1 \r\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "0x", BYTES(CHUNKS "0x1\r\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "minus", BYTES(CHUNKS "-1\r\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "2^64", BYTES(CHUNKS "10000000000000000\r\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "2^64 - 1", BYTES(CHUNKS "ffffffffffffffff\r\na\r\n0\r\n\r\n"), "!413 closed" },
	{ "LF in an extension", BYTES(CHUNKS "1;a\nb\r\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "CR in an extension", BYTES(CHUNKS "1;a\rb\r\na\r\n0\r\n\r\n"), "!400 closed" },
	{ "LF in a quoted extension", BYTES(CHUNKS "1;a=\"\n\"\r\na\r\n0\r\n\r\n"), "!400 closed" },
};

Test(http_smuggling, chunks_have_one_form, .timeout = 60)
{
	CHECK_ALL(chunks);
}
