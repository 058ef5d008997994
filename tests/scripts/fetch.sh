#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# magpie fetch: records, retries, limits, files, an interruption that is gone on with; TLS by OpenSSL's own server.
source "$(dirname "$0")/serve.bash"
need python3 openssl
"$magpie" --help | grep -q 'fetch.*not in this build' && skip "no fetch in this build"

others=()
away() {
	local pid
	for pid in "${others[@]}"; do
		kill -KILL "$pid"
		wait "$pid"
	done 2> /dev/null
}

# serve_tls NAME OPTION...: OpenSSL's server of the files, which says in $work/NAME where; $tls_port
serve_tls() {
	local name=$1
	shift
	(
		cd "$work/root" || exit
		exec openssl s_server -accept 0 -cert "$work/cert.pem" -key "$work/key.pem" -WWW "$@" > "$work/$name" 2>&1
	) &
	others+=($!)
	await grep -q '^ACCEPT.*:[0-9]*$' "$work/$name"
	tls_port=$(sed -n 's/^ACCEPT.*:\([0-9]*\)$/\1/p' "$work/$name")
}

# ask EXPRESSION: what a Python expression says of each record r, sorted, one a line
ask() {
	python3 -c "
import json, sys
print('\n'.join(sorted(str($1) for r in map(json.loads, sys.stdin))))"
}

fetch() {
	timeout 120 "$magpie" fetch "$@"
}

mkdir -p "$work/root"
seq 1 1000 > "$work/root/a.txt"
start --root "$work/root"
python3 "$(dirname "$0")/fetch.py" > "$work/port" &
others+=($!)
await [ -s "$work/port" ]
peer=http://127.0.0.1:$(cat "$work/port")

# records
cat > "$work/list" <<- END
	$url/a.txt
	# a comment, and an empty line

	$url/none
	http://127.0.0.1:1/
	ftp://127.0.0.1/
	http://no-such-host.invalid/"x\\
END
fetch "$work/list" > "$work/records" 2> "$work/said"
same "status where something failed" 1 $?
same "records" "None 200 connect 0 dns 0 status 404 url 0" \
	"$(ask "f\"{r['error']} {r['status']}\"" < "$work/records" | xargs)"
same "keys" "attempts bytes error status time_ms url why" \
	"$(ask "' '.join(sorted(r))" < "$work/records" | sort -u)"
same "a URL with a quote" 1 "$(grep -c 'invalid/\\"x\\\\"' "$work/records")"
same "the end" 1 "$(grep -c '^1 fetched, 4 failed' "$work/said")"
echo "$url/a.txt" | fetch -q > "$work/records" 2> "$work/said"
same "status where all is well" 0 $?
same "quiet" 0 "$(wc -c < "$work/said")"
fetch --progress "$url/a.txt?[1-300]" 2> "$work/said" | wc -l > "$work/count"
same "a range" 300 "$(cat "$work/count")"
fetch --rate 100 --progress "$url/a.txt?[1-60]" 2>&1 > /dev/null | tr '\r' '\n' | grep -q 'of 60, .* s left' ||
	fault "the progress says nothing of the rest"
fetch "$work/not-there" > /dev/null 2>&1
same "status without a list" 1 $?
fetch --resume "$work/list" > /dev/null 2>&1
same "status of a wrong command line" 2 $?

# retries, headers, timeouts
same "what fails twice" "3 None" "$(fetch -q --retry 3 "$peer/flaky/1" | ask "f\"{r['attempts']} {r['error']}\"")"
same "what fails once too often" "2 status" "$(fetch -q --retry 1 "$peer/flaky/2" | ask "f\"{r['attempts']} {r['error']}\"")"
begin=$(date +%s%N)
same "what asks for patience" "2 200" "$(fetch -q --retry 1 "$peer/busy" | ask "f\"{r['attempts']} {r['status']}\"")"
(($(date +%s%N) - begin >= 1000000000)) || fault "Retry-After was not waited for"
same "what is not there is not tried again" "1 404" "$(fetch -q --retry 3 "$peer/x" | ask "f\"{r['attempts']} {r['status']}\"")"
same "what is slow" "timeout" "$(fetch -q --timeout 1 "$peer/slow" | ask "r['error']")"
fetch -q -H "X-One: 1" --header "X-Two:2" --output "$work/headers" "$peer/echo"
same "headers" 2 "$(grep -c -e '^X-One: 1' -e '^X-Two: 2' "$work/headers/000001-echo")"

# files, and an interruption
env --default-signal=INT "$magpie" fetch --rate 6 --output "$work/out.d" "$url/a.txt?[1-60]" 2> "$work/said" &
interrupted=$!
# some: of 60 that take ten seconds
some() {
	[ "$(cat "$work"/out.d/fetch.jsonl 2> /dev/null | wc -l)" -gt 2 ]
}
await some
kill -INT "$interrupted"
wait "$interrupted"
same "status of one that was interrupted" 130 $?
grep -q -e '--resume' "$work/said" || fault "it does not say how to go on"
finished=$(wc -l < "$work/out.d/fetch.jsonl")
((finished > 2 && finished < 60)) || fault "$finished of 60 were finished when it was interrupted"
same "whole files" "$finished" "$(find "$work/out.d" -name '*-a.txt' -size 3893c | wc -l)"
same "parts" 0 "$(find "$work/out.d" -name '*.part' | wc -l)"
fetch -q --output "$work/out.d" "$url/a.txt?[1-60]" > /dev/null 2>&1
same "status where there are records already" 2 $?
printf '{"url":"%s/a.txt?60","sta' "$url" >> "$work/out.d/fetch.jsonl" # as a power cut leaves it
fetch --resume --output "$work/out.d" "$url/a.txt?[1-60]" 2> "$work/said"
same "status of the rest" 0 $?
same "all" 60 "$(ask "r['url']" < "$work/out.d/fetch.jsonl" | sort -u | wc -l)"
same "each once" 60 "$(wc -l < "$work/out.d/fetch.jsonl")"
grep -q "$finished had been fetched" "$work/said" || fault "it fetched again what it had"
printf '%s\n' "$url/a.txt?0" "$url/a.txt?1" > "$work/list" # another one has come to stand in front
fetch -q --resume --output "$work/out.d" "$work/list" || fault "a list that has changed"
same "files of records" 61 "$(ask "r['file']" < "$work/out.d/fetch.jsonl" | sort -u | wc -l)"
same "files" 61 "$(find "$work/out.d" -name '*-a.txt' -size 3893c | wc -l)"
fetch -q --output "$work/$(printf '%0200d/%0200d' 1 2)" "$url/a.txt" 2> /dev/null
same "a directory that cannot be" 2 $?
mkdir "$work/$(printf '%0200d' 1)"
fetch -q --output "$work/$(printf '%0200d/%0200d' 1 2)" "$url/a.txt" || fault "a long name"
[ -s "$(ask "r['file']" < "$work/$(printf '%0200d/%0200d' 1 2)/fetch.jsonl")" ] || fault "the file of a long name"
fetch -q --output "$work/$(printf '%01000d' 1)" "$url/a.txt" 2> /dev/null
same "a name that is too long" 2 $?

# no UTF-8
printf '%s/a.txt#\xff\xc3\xa4\xed\xa0\x80\n' "$url" > "$work/list"
fetch -q --jsonl "$work/bytes" "$work/list" || fault "bytes that are no UTF-8"
same "bytes that are no UTF-8" "'#\\xff\\xe4\\xed\\xa0\\x80'" "$(ask "ascii(r['url'][-6:])" < "$work/bytes")"
fetch --resume --jsonl "$work/bytes" "$work/list" 2>&1 | grep -q '1 had been fetched' || fault "they are fetched again"

# TLS
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout "$work/key.pem" -out "$work/cert.pem" -subj /CN=here \
	-addext subjectAltName=DNS:localhost,IP:127.0.0.1 2> /dev/null || skip "openssl req makes no certificate"
serve_tls tls
tls=https://127.0.0.1:$tls_port/a.txt
same "who is trusted" "200 None" "$(fetch -q --ca "$work/cert.pem" "$tls" | ask "f\"{r['status']} {r['error']}\"")"
# in this order, but a busy machine lets several be seen at once
times=$(fetch -q --ca "$work/cert.pem" "$tls" | ask "[r['time_ms'][at] for at in ('connect', 'tls', 'first_byte', 'total')]")
same "times $times" "True" "$(python3 -c "print(sorted($times) == $times and $times[0] > 0)")"
same "who is not" "tls" "$(fetch -q "$tls" | ask "r['error']")"
same "anybody" "None" "$(fetch -q --insecure "$tls" | ask "r['error']")"
same "a name that the certificate has not" "tls" \
	"$(fetch -q --ca "$work/cert.pem" "https://127.0.0.2:$tls_port/a.txt" | ask "r['error']")"
serve_tls old -no_tls1_3 -no_tls1_2 -cipher ALL:@SECLEVEL=0
same "TLS before 1.2" "tls" "$(fetch -q --insecure "https://127.0.0.1:$tls_port/a.txt" | ask "r['error']")"

# HTTP/2, over one connection: the peer speaks nothing else
away
PATH=$PATH:/usr/sbin
if command -v nghttpd > /dev/null; then
	# listens: it cannot say which port it was given, so it is told one, which may be somebody else's
	listens() {
		grep -q -e listen "$work/h2" && return
		kill -0 "${others[0]}" 2> /dev/null && return 1
		h2=$((20000 + RANDOM % 12000))
		nghttpd -v --address=127.0.0.1 --htdocs="$work/root" "$h2" "$work/key.pem" "$work/cert.pem" > "$work/h2" 2>&1 &
		others=($!)
		return 1
	}
	: > "$work/h2"
	others=(none)
	await listens
	fetch -q -t 1 -c 20 --ca "$work/cert.pem" "https://127.0.0.1:$h2/a.txt?[1-200]" > "$work/records"
	same "over HTTP/2" "200 200 None" "$(ask "f\"{r['status']} {r['error']}\"" < "$work/records" | uniq -c | xargs)"
	same "connections" 1 "$(grep -c 'SSL/TLS handshake completed' "$work/h2")"
	away
else
	echo "no nghttpd: HTTP/2 is not tested"
fi
stop
finish
