#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# TLS with OpenSSL's own program at the other end: both roles, versions, names, tickets, key updates, ends.
source "$(dirname "$0")/peers.bash"
peer=$1/tls_peer
[ -x "$peer" ] || skip "the module tls is off"
need openssl timeout

# certificate NAME NAMES: signed by ca, in $work
certificate() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/$1.key" -out "$work/$1.csr" \
		-subj "/CN=$1" 2> /dev/null
	printf 'subjectAltName=%s\n' "$2" > "$work/ext"
	openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -days 3 -extfile "$work/ext" \
		-out "$work/$1.pem" 2> /dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" \
	-subj "/CN=magpie test CA" -days 3 2> /dev/null || skip "openssl cannot make certificates"
certificate site DNS:example.org
certificate client DNS:client.example

# our_server [CA]
our_server() {
	start "$work/served" "$peer" serve "$work/site.pem" "$work/site.key" "$@"
}

client=(openssl s_client -CAfile "$work/ca.pem" -servername example.org -verify_hostname example.org -verify_return_error)

# their_client "LINE LINE …" OPTION...: what it says is in $work/client
their_client() {
	local lines=$1 line
	shift
	for line in $lines; do
		sleep 0.2
		echo "$line"
	done | timeout 60 "${client[@]}" -connect "127.0.0.1:$port" "$@" -ign_eof > "$work/client" 2>&1
}

# talk OPTION...: the same in the background, $talker, to be told line by line; a letter that is read alone is a command
talk() {
	rm -f "$work/lines"
	mkfifo "$work/lines"
	: > "$work/client"
	timeout 60 "${client[@]}" -connect "127.0.0.1:$port" "$@" < "$work/lines" > "$work/client" 2>&1 &
	talker=$!
	exec 4> "$work/lines"
	said "$work/client" "Verify return code"
}

# tell LINE WORDS: what it says then
tell() {
	echo "$1" >&4
	said "$work/client" "$2"
}

our_server
for version in tls1_2 tls1_3; do
	their_client 'hello the-end' -"$version" -alpn http/1.1,h2 || fault "$version: $(tail -n 3 "$work/client")"
	said "$work/client" "Verify return code: 0 (ok)"
	said "$work/client" "ALPN protocol: h2"
	said "$work/client" "the-end"
	said "$work/served" "guest: ${version/tls1_/TLSv1.} h2 example.org -"
done
said "$work/served" "gone: well"
their_client 'x end' -tls1_1 -cipher ALL:@SECLEVEL=0 && fault "TLS 1.1 is taken"
said "$work/served" "no version in common"
their_client 'x end' -alpn smtp && fault "another protocol is taken"
said "$work/served" "no protocol (ALPN) in common"

: > "$work/served"
their_client end -tls1_3 -sess_out "$work/session" || fault "$(tail -n 3 "$work/client")"
their_client end -tls1_3 -sess_in "$work/session" || fault "$(tail -n 3 "$work/client")"
said "$work/client" "Reused, TLSv1.3"
said "$work/served" "resumed"

# a key update in the middle, asked for at both ends; a renegotiation, which is refused
talk -tls1_3
tell K KEYUPDATE
tell after-it after-it
echo end >&4
exec 4>&-
wait "$talker" || fault "$(tail -n 3 "$work/client")"
# it is refused, and then waits for what does not come
talk -tls1_2
tell R "no renegotiation"
kill "$talker" 2> /dev/null
wait "$talker" 2> /dev/null
exec 4>&-
head -c 300000 /dev/zero | tr '\0' 'm' > "$work/much"
printf 'end\n' >> "$work/much"
(cat "$work/much"; sleep 1) | timeout 60 openssl s_client -connect "127.0.0.1:$port" -CAfile "$work/ca.pem" -quiet \
	2> /dev/null > "$work/client" || fault "300 kB: status $?"
cmp -s "$work/much" "$work/client" || fault "300 kB come back as $(wc -c < "$work/client")"
over

our_server "$work/ca.pem"
their_client end -cert "$work/client.pem" -key "$work/client.key" || fault "$(tail -n 3 "$work/client")"
said "$work/served" "CN=client"
their_client end -tls1_2 && fault "a client without a certificate is let in"
said "$work/served" "the client has shown no certificate"
over

# their_server OPTION...: it sends each line back in reverse
their_server() {
	: > "$work/served"
	openssl s_server -accept 127.0.0.1:0 -cert "$work/site.pem" -key "$work/site.key" -rev "$@" > "$work/served" 2>&1 &
	server=$!
	said "$work/served" "ACCEPT" || finish
	port=$(sed -n 's/^ACCEPT .*:\([0-9]*\)$/\1/p' "$work/served")
}

# our_client HOST TEXT [CHAIN KEY]: with its status; what it heard is in $work/client
our_client() {
	timeout 60 "$peer" connect "$port" "$1" "$work/ca.pem" "$2" "${@:3}" > "$work/client" 2> "$work/err"
}

# one connection at a time is its limit
for version in tls1_2 tls1_3; do
	their_server -"$version"
	our_client example.com "magpie" && fault "another host's certificate is taken"
	grep -q "gone: EKEYREJECTED .*ostname mismatch" "$work/err" || fault "wrong host: $(cat "$work/err")"
	our_client example.org "magpie" &
	caller=$!
	said "$work/client" "eipgam"
	over
	wait "$caller"
done

# openssl s_server -rev ends a connection at the line CLOSE
their_server -Verify 1 -CAfile "$work/ca.pem"
our_client example.org CLOSE "$work/client.pem" "$work/client.key" || fault "with a certificate: $(cat "$work/err")"
our_client example.org CLOSE && fault "without a certificate: $(cat "$work/err")"
grep -q "the other end refuses: tlsv13 alert certificate required" "$work/err" || fault "no alert: $(cat "$work/err")"
over
# it is killed: its socket ends, and nothing was said
their_server
our_client example.org magpie &
caller=$!
said "$work/client" "eipgam"
over
wait "$caller"
same "status of who was cut off" 1 $?
grep -q "gone: MAG_EEOF the stream ended without close_notify" "$work/err" || fault "a cut: $(cat "$work/err")"
finish
