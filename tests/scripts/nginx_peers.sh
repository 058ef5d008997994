#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# nginx at the other end: before our server, as the proxy that it often has (connections that it keeps, uploads in chunks,
# ranges, conditions, 100-continue); and as the server that `magpie fetch` and `magpie load` ask, with TLS and HTTP/2.
source "$(dirname "$0")/serve.bash"
PATH=$PATH:/usr/sbin
need nginx curl openssl python3 cmp timeout
[ -x "$1/http_server_peer" ] || skip "the module http_server, websocket or tls is off"
"$magpie" --help | grep -q 'fetch.*not in this build' && skip "no fetch in this build"

others=()
leave() {
	trap - EXIT
	for pid in "${others[@]}" $server; do
		kill -KILL "$pid" && wait "$pid"
	done 2> /dev/null
	rm -rf "$work"
	exit "$1"
}

# configure: nginx before both servers, and with files of its own
configure() {
	cat <<- END
		daemon off;
		master_process off;
		pid $work/pid;
		error_log $work/log info;
		events { worker_connections 256; }
		http {
			log_format which '\$connection \$status \$server_protocol \$uri';
			access_log off;
			default_type text/plain;
			client_body_temp_path $work/temp1;
			proxy_temp_path $work/temp2;
			fastcgi_temp_path $work/temp3;
			uwsgi_temp_path $work/temp4;
			scgi_temp_path $work/temp5;
			upstream serve { server 127.0.0.1:$port; keepalive 4; }
			upstream peer { server 127.0.0.1:$peer_port; keepalive 4; }
			proxy_http_version 1.1;
			proxy_set_header Connection "";
			server {
				listen 127.0.0.1:$1;
				client_max_body_size 0;
				location / { proxy_pass http://serve; }
				location /echo { proxy_pass http://peer; proxy_request_buffering off; }
			}
			server {
				listen 127.0.0.1:$2;
				listen 127.0.0.1:$3 ssl http2;
				ssl_certificate $work/cert.pem;
				ssl_certificate_key $work/key.pem;
				access_log $work/asked which;
				root $work/root;
				location /moved { return 302 /small; }
				location /short { return 200 "ten bytes\n"; }
				location /gone { return 410; }
			}
		}
	END
}

# free: three ports that nobody has
free() {
	python3 -c "
import socket
all = [socket.create_server(('127.0.0.1', 0)) for _ in range(3)]
print(*(s.getsockname()[1] for s in all))"
}

# start_nginx: $front, $files, $secure are its ports; another program may take one of them first
start_nginx() {
	local tries
	for _ in 1 2 3 4 5; do
		read -r front files secure <<< "$(free)"
		configure "$front" "$files" "$secure" > "$work/config"
		nginx -p "$work" -c "$work/config" -e "$work/log" > "$work/nginx" 2>&1 &
		nginx=$!
		for tries in $(seq 200); do
			curl -s -o "$work/body" -m 5 "http://127.0.0.1:$files/short" && others+=("$nginx") && return
			kill -0 "$nginx" 2> /dev/null || break
			sleep 0.05
		done
	done
	skip "nginx does not start: $(tail -n 3 "$work/nginx")"
}

# accepted: connections that the server has taken, but for those that ask here
accepted() {
	curl -s -m 20 "$url/metrics" | sed -n 's/^magpie_http_connections_accepted_total //p'
}

# ask EXPRESSION: what a Python expression says of each record r, sorted
ask() {
	python3 -c "
import json, sys
print(' '.join(sorted(str($1) for r in map(json.loads, sys.stdin))))"
}

got() {
	curl -sS -m 60 "$@"
}

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" \
	-subj "/CN=magpie test" -addext "subjectAltName=IP:127.0.0.1" -days 3 2> /dev/null ||
	skip "openssl cannot make certificates"
mkdir "$work/root"
echo small > "$work/root/small"
seq 1 20000 > "$work/root/text.txt"
head -c 3000000 /dev/urandom > "$work/root/large"
head -c 900000 /dev/urandom > "$work/upload"
"$1/http_server_peer" > "$work/peer" 2> "$work/err" &
others+=($!)
for _ in $(seq 200); do
	peer_port=$(sed -n 's/^port //p' "$work/peer")
	[ -n "$peer_port" ] && break
	sleep 0.05
done
[ -n "$peer_port" ] || cannot_start http_server_peer
start --root "$work/root" --metrics --compress
start_nginx
proxy=http://127.0.0.1:$front

# before our server: the same bytes, on connections that stay
before=$(accepted)
for i in $(seq 20); do
	[ "$(got "$proxy/small")" = small ] || fault "by the proxy: $(cat "$work/log")"
done
now=$(accepted)
[ $((now - before)) -le 5 ] || fault "$((now - before)) connections for 20 requests of the proxy"
got "$proxy/large" | cmp -s - "$work/root/large" || fault "a large file by the proxy is another"
got --compressed "$proxy/text.txt" | cmp -s - "$work/root/text.txt" || fault "a compressed file by the proxy is another"
same "a part" "206 100" "$(got -o "$work/body" -w '%{http_code} %{size_download}' -r 1000-1099 "$proxy/large")"
cmp -s "$work/body" <(tail -c +1001 "$work/root/large" | head -c 100) || fault "a part is another"
same "a part beyond the end" 416 "$(got -o /dev/null -w '%{http_code}' -r 4000000- "$proxy/large")"
same "nothing there" 404 "$(got -o /dev/null -w '%{http_code}' "$proxy/none")"
same "the head alone" "200 0" "$(got -I -o "$work/head" -w '%{http_code} %{size_download}' "$proxy/large")"
tag=$(sed -n 's/^etag: \(.*\)\r$/\1/Ip' "$work/head")
same "not changed" 304 "$(got -o /dev/null -w '%{http_code}' -H "If-None-Match: $tag" "$proxy/large")"
same "not this one" 412 "$(got -o /dev/null -w '%{http_code}' -H 'If-Match: "other"' "$proxy/large")"

# uploads: of a length, in chunks, by who asks first whether they are wanted; at once, and more than the server takes
for how in "-H Expect:" "-H Transfer-Encoding:chunked -H Expect:" "-H Expect:100-continue" \
	"-H Transfer-Encoding:chunked -H Expect:100-continue"; do
	for to in "$proxy" "http://127.0.0.1:$peer_port"; do
		# shellcheck disable=SC2086
		got $how -T "$work/upload" "$to/echo" | cmp -s - "$work/upload" || fault "an upload ($how) to $to comes back otherwise"
	done
done
same "more than it takes" 413 "$(got -o /dev/null -w '%{http_code}' -H Expect: --data-binary "@$work/root/large" "$proxy/echo")"
same "after that" small "$(got "$proxy/small")"
kill -0 "${others[0]}" || fault "the server behind the proxy is gone"

# our clients at nginx's
timeout 60 "$magpie" fetch -c 8 "http://127.0.0.1:$files/small?[1-200]" > "$work/records" 2> "$work/said" ||
	fault "fetch: $(tail -n 3 "$work/said")"
same "what came" "200" "$(ask "r['status'] if r['bytes'] == 6 and r['error'] is None else r" < "$work/records" | tr ' ' '\n' | sort -u)"
same "how many" 200 "$(wc -l < "$work/records")"
printf 'http://127.0.0.1:%s/%s\n' "$files" moved "$files" gone "$files" none "$files" large > "$work/list"
timeout 60 "$magpie" fetch --output "$work/got" "$work/list" > /dev/null 2> "$work/said"
same "status where something failed" 1 $?
same "what came of four" "200 3000000,200 6,404 status,410 status" \
	"$(ask "f\"{r['status']} {r['error'] or r['bytes']},\"" < "$work/got/fetch.jsonl" | sed 's/, /,/g; s/,$//')"
cmp -s "$(find "$work/got" -type f -size +2000k)" "$work/root/large" || fault "fetch: a large file is another"
timeout 60 "$magpie" fetch --ca "$work/cert.pem" "https://127.0.0.1:$secure/small?[1-20]" > "$work/records" 2> "$work/said" ||
	fault "fetch by TLS: $(tail -n 3 "$work/said")"
timeout 60 "$magpie" fetch "https://127.0.0.1:$secure/small" > "$work/records" 2> /dev/null
same "nobody vouches for it" tls "$(ask "r['error']" < "$work/records")"
timeout 60 "$magpie" load --quiet -f json -n 400 -c 8 --cacert "$work/cert.pem" "https://127.0.0.1:$secure/small" \
	> "$work/json" 2> "$work/said" || fault "load by TLS: $(tail -n 3 "$work/said")"
same "load by TLS" "400 0" "$(python3 -c "import json; r = json.load(open('$work/json')); print(r['answers'], r['errors'])")"

# as it says itself: connections were kept
kill -TERM "$nginx"
wait "$nginx"
of_http=$(awk '$4 == "/small" && $2 == 200 && $3 == "HTTP/1.1" { seen[$1] = 1 } END { print length(seen) }' "$work/asked")
echo "$of_http connections; $(grep -c 'HTTP/2' "$work/asked") requests by HTTP/2"
[ "$of_http" -le 40 ] || fault "$of_http connections for some hundred requests"
stop
finish
