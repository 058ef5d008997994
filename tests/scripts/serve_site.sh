#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What a file server is asked beside whole files: parts, conditions, listings, gzip; its access log and its counters.
source "$(dirname "$0")/serve.bash"
need curl cmp seq xargs

root=$work/root
mkdir -p "$root/sub/<b>" "$root/other"
seq 100000 > "$root/numbers.txt"
head -c 100000 /dev/urandom > "$root/noise.bin"
echo odd > "$root/sub/a&b \"c\".txt"
echo index > "$root/other/index.html"
start --root "$root" --listing --compress --metrics --access-log "$work/access"

# ask PATH [CURL OPTION...]: the status; $work/body, $work/head
ask() {
	local path=$1
	shift
	rm -f "$work/body"
	curl -s --path-as-is -m 20 -o "$work/body" -D "$work/head" -w '%{http_code}' "$@" "$url$path"
}

# field NAME: of the last answer
field() {
	sed -n "s/^$1: *//Ip" "$work/head" | tr -d '\r'
}

part() {
	same "range $1" 206 "$(ask /noise.bin -r "$1")"
	same "content range of $1" "bytes $2-$3/100000" "$(field content-range)"
	tail -c +$(($2 + 1)) "$root/noise.bin" | head -c $(($3 - $2 + 1)) | cmp -s - "$work/body" || fault "bytes of range $1"
}
part 0-0 0 0
part 10-99 10 99
part 99000- 99000 99999
part -5 99995 99999
part 50000-200000 50000 99999
part 10-60000 10 60000
same "a range behind the end" 416 "$(ask /noise.bin -r 100000-)"
same "its content range" "bytes */100000" "$(field content-range)"
for several in 0-1,5-6 5-3 x; do
	same "range $several" 200 "$(ask /noise.bin -r $several)"
	cmp -s "$work/body" "$root/noise.bin" || fault "the whole for $several"
done
same "HEAD" 200 "$(ask /noise.bin -I)"
same "its length" 100000 "$(field content-length)"
same "ranges are offered" bytes "$(field accept-ranges)"
etag=$(field etag)
modified=$(field last-modified)

same "the same tag" 304 "$(ask /noise.bin -H "If-None-Match: $etag")"
[ -s "$work/body" ] && fault "304 has a body"
same "one of several tags" 304 "$(ask /noise.bin -H "If-None-Match: \"x\", W/$etag")"
same "any tag" 304 "$(ask /noise.bin -H 'If-None-Match: *')"
same "another tag" 200 "$(ask /noise.bin -H 'If-None-Match: "x"')"
same "the same date" 304 "$(ask /noise.bin -H "If-Modified-Since: $modified")"
same "a later date" 304 "$(ask /noise.bin -H 'If-Modified-Since: Fri, 01 Jan 2099 00:00:00 GMT')"
same "an old date" 200 "$(ask /noise.bin -H 'If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT')"
same "no date" 200 "$(ask /noise.bin -H 'If-Modified-Since: yesterday')"
same "a tag goes before a date" 200 "$(ask /noise.bin -H "If-Modified-Since: $modified" -H 'If-None-Match: "x"')"
same "a tag that must match" 200 "$(ask /noise.bin -H "If-Match: $etag")"
same "and does not" 412 "$(ask /noise.bin -H 'If-Match: "x"')"
same "changed since" 412 "$(ask /noise.bin -H 'If-Unmodified-Since: Sun Nov  6 08:49:37 1994')"
same "a part of the same" 206 "$(ask /noise.bin -r 1-2 -H "If-Range: $etag")"
same "a part of another" 200 "$(ask /noise.bin -r 1-2 -H 'If-Range: "x"')"
same "a part by date" 206 "$(ask /noise.bin -r 1-2 -H "If-Range: $modified")"

same "a listing" 200 "$(ask /sub/)"
grep -q '<a href="./a%26b%20%22c%22.txt">a&amp;b &quot;c&quot;.txt</a>' "$work/body" || fault "a file: $(cat "$work/body")"
grep -q '<a href="./%3Cb%3E/">&lt;b&gt;/</a>' "$work/body" || fault "a folder: $(cat "$work/body")"
same "the listing of the root" 200 "$(ask /)"
grep -q 'numbers.txt' "$work/body" || fault "the root: $(cat "$work/body")"
same "an index goes before" 200 "$(ask /other/)"
same "it" index "$(cat "$work/body")"
same "no such folder" 404 "$(ask /nowhere/)"
mkdir "$root/many"
(cd "$root/many" && seq -f 'entry %g' 2000 | tr '\n' '\0' | xargs -0 touch)
same "a large listing" 200 "$(ask /many/ --compressed)"
same "its entries" 2000 "$(grep -c 'entry%20' "$work/body")"
same "its coding" gzip "$(field content-encoding)"
same "it varies" Accept-Encoding "$(field vary)"
same "not liked" 200 "$(ask /many/ -H 'Accept-Encoding: gzip;q=0, br')"
same "no coding" "" "$(field content-encoding)"

same "a file in gzip" 200 "$(ask /numbers.txt --compressed)"
cmp -s "$work/body" "$root/numbers.txt" || fault "a file in gzip is not the file"
same "its coding" gzip "$(field content-encoding)"
tag=$(field etag)
same "its tag is weak" 'W/"' "${tag:0:3}"
same "the same weak tag" 304 "$(ask /numbers.txt --compressed -H "If-None-Match: $tag")"
same "it stays weak" "$tag" "$(field etag)"
same "and varies" Accept-Encoding "$(field vary)"
same "a part of it" 206 "$(ask /numbers.txt --compressed -r 0-9)"
same "is not compressed" "" "$(field content-encoding)"
same "but varies" Accept-Encoding "$(field vary)"
same "HEAD of it" 200 "$(ask /numbers.txt --compressed -I)"
same "a file to HTTP/1.0" 200 "$(ask /numbers.txt -0 --compressed)"
cmp -s "$work/body" "$root/numbers.txt" || fault "a file to HTTP/1.0 is not the file"
same "noise" 200 "$(ask /noise.bin --compressed)"
same "is not compressed, either" "" "$(field content-encoding)"

same "the counters" 200 "$(ask /metrics)"
grep -q '^magpie_http_requests_total{status="4xx"} [1-9]' "$work/body" || fault "counters: $(cat "$work/body")"
# alone: it sees the ends of those before by and by
alone() {
	ask /metrics > "$work/status"
	grep -q '^magpie_http_connections 1$' "$work/body"
}
await alone || fault "connections: $(cat "$work/body")"
same "a query for the log" 404 "$(ask '/none?a="b' -e 'http://from"here/' -A 'agent \ "x"')"
await grep -qE '^127\.0\.0\.1 - - \[[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9:]{8} \+0000\] "GET /none\?a=\\x22b HTTP/1\.1" (404|400) [0-9]+ "http://from\\x22here/" "agent \\x5c \\x22x\\x22"$' \
	"$work/access" || fault "access log: $(tail -n 1 "$work/access")"
grep -qE '"GET /noise.bin HTTP/1\.1" 206 59991 ' "$work/access" || fault "no line of a part: $(grep -m 3 206 "$work/access")"
stop

# Tried: a deadline of a minute, here 3 s, for a file.
truncate -s 64M "$root/long"
start --root "$root" --hurry 20
same "a file that takes longer than a handler may" 200 "$(ask /long --limit-rate 14M)"
cmp -s "$work/body" "$root/long" || fault "it was cut short: $(stat -c %s "$work/body")"
stop
finish
