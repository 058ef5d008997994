/* SPDX-License-Identifier: MIT */
/* key.c - the key of a handshake and its answer: SHA-1 (RFC 3174) and base 64. It proves that the other end speaks
 * WebSocket, and nothing else: so it needs no library. */
#include <errno.h>
#include <magpie/websocket_handshake.h>
#include <string.h>
#include <sys/random.h>

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
enum { KEY_BYTES = 16, DIGEST_BYTES = 20, BLOCK = 64 };

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static uint32_t left(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static void block(uint32_t h[5], const unsigned char *p)
{
	static const uint32_t ks[] = { 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6 };
	uint32_t x[80], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];

	for (int i = 0; i < 16; i++)
		x[i] = (uint32_t)p[4 * i] << 24 | (uint32_t)p[4 * i + 1] << 16 | (uint32_t)p[4 * i + 2] << 8 | p[4 * i + 3];
	for (int i = 16; i < 80; i++)
		x[i] = left(x[i - 3] ^ x[i - 8] ^ x[i - 14] ^ x[i - 16], 1);
	for (int i = 0; i < 80; i++) {
		uint32_t f = i < 20 ? (b & c) | (~b & d) : i >= 40 && i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
		uint32_t t = left(a, 5) + f + e + ks[i / 20] + x[i];

		e = d;
		d = c;
		c = left(b, 30);
		b = a;
		a = t;
	}
	h[0] += a;
	h[1] += b;
	h[2] += c;
	h[3] += d;
	h[4] += e;
}

/* Of at most 119 bytes. */
static void sha1(const char *text, size_t len, unsigned char digest[DIGEST_BYTES])
{
	uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
	unsigned char m[2 * BLOCK] = { 0 };
	size_t end = len + 9 <= BLOCK ? BLOCK : 2 * BLOCK;

	memcpy(m, text, len);
	m[len] = 0x80;
	m[end - 2] = (unsigned char)(len * 8 >> 8);
	m[end - 1] = (unsigned char)(len * 8);
	for (size_t i = 0; i < end; i += BLOCK)
		block(h, m + i);
	for (int i = 0; i < DIGEST_BYTES; i++)
		digest[i] = (unsigned char)(h[i / 4] >> (24 - i % 4 * 8));
}

static void base64(const unsigned char *p, size_t len, char *text)
{
	for (size_t i = 0; i < len; i += 3) {
		uint32_t three = (uint32_t)p[i] << 16 | (i + 1 < len ? (uint32_t)p[i + 1] << 8 : 0) | (i + 2 < len ? p[i + 2] : 0);

		*text++ = digits[three >> 18];
		*text++ = digits[three >> 12 & 63];
		*text++ = i + 1 < len ? digits[three >> 6 & 63] : '=';
		*text++ = i + 2 < len ? digits[three & 63] : '=';
	}
	*text = 0;
}

/* 16 bytes are 22 digits, the last of which has 2 bits to spare, which must be 0. */
static bool is_key(const char *key)
{
	if (strlen(key) != MAG_WEBSOCKET_KEY_LEN || strcmp(key + 22, "==") != 0 || strspn(key, digits) != 22)
		return false;
	return (strchr(digits, key[21]) - digits) % 16 == 0;
}

int mag_websocket_accept_key(const char *key, char accept[MAG_WEBSOCKET_ACCEPT_LEN + 1])
{
	char text[MAG_WEBSOCKET_KEY_LEN + sizeof(GUID)];
	unsigned char digest[DIGEST_BYTES];

	accept[0] = 0;
	if (!key || !is_key(key))
		return -EINVAL;
	memcpy(text, key, MAG_WEBSOCKET_KEY_LEN);
	memcpy(text + MAG_WEBSOCKET_KEY_LEN, GUID, sizeof(GUID));
	sha1(text, sizeof(text) - 1, digest);
	base64(digest, sizeof(digest), accept);
	return 0;
}

void mag_websocket_make_key(char key[MAG_WEBSOCKET_KEY_LEN + 1])
{
	unsigned char bytes[KEY_BYTES] = { 0 };

	/* so few bytes are never cut short, and it is no secret */
	if (getrandom(bytes, sizeof(bytes), 0) < 0)
		bytes[0] = 1;
	base64(bytes, sizeof(bytes), key);
}
