#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# magpie load on magpie serve: counts, reports, conditions, the end by a signal, what is seen meanwhile, wrong options.
source "$(dirname "$0")/load.bash"

start --threads 1
load 0 -n 5000 -c 20 -t 2 "$url/"
holds "so many as were asked for" "r['answers'] == 5000 and r['errors'] == 0 and r['status'] == {'200': 5000}"
holds "latencies grow" "0 < r['latency_ms']['min'] <= r['latency_ms']['p50'] <= r['latency_ms']['p99.99'] <= r['latency_ms']['max']"
load 0 -n 3 -c 20 "$url/"
holds "fewer requests than connections" "r['answers'] == 3 and r['connections'] == 3"
load 0 -n 10 "http://localhost:$port/a%20b?c#d"
holds "a name" "r['answers'] == 10 and r['url'].endswith('/a%20b?c')"
load 0 -z 1s -c 5 "$url/"
holds "so long" "1 <= r['seconds'] < 5 and r['answers'] > 100"
holds "seconds add up" "sum(s['answers'] for s in r['over_time']) == r['answers'] and len(r['over_time']) > 10"
load 0 -q 500 -z 1s -c 5 -t 2 "$url/"
holds "a rate" "495 <= r['answers'] + r['unsent'] <= 500 and r['answers'] > 100"
load 0 -q 1000 -n 300 -c 5 "$url/"
holds "a rate and a number" "r['answers'] == 300 and 0.29 <= r['seconds'] < 10"

# conditions
load 0 -n 100 --fail-if 'p99>1h' --fail-if 'rps<0.001,errors>0' "$url/"
holds "none holds" "[f['failed'] for f in r['fail_if']] == [False, False, False]"
load 1 -n 100 --fail-if 'p99>1h' --fail-if 'max>0ns' "$url/"
holds "one holds" "[f['failed'] for f in r['fail_if']] == [False, True]"

# other reports
"$magpie" load -q 200 -n 100 -c 2 -o "$work/text" --html "$work/page.html" "$url/?a=<b>&c='ä'" 2> "$work/err"
same "exit status" 0 $?
for words in '100 answered, 0 errors' 'p99.99' '^  200 *100$' 'schedule  *kept to within'; do
	grep -q -- "$words" "$work/text" || fault "the report does not say '$words': $(cat "$work/text")"
done
python3 - "$work/page.html" "$url" << 'END' || fault "the page"
import re, sys
from html.parser import HTMLParser
text = open(sys.argv[1]).read()
assert text.startswith("<!doctype html>") and text.rstrip().endswith("</html>")
assert "prefers-color-scheme:dark" in text and text.count("<svg") >= 1 and text.count("<svg") == text.count("</svg>")
assert "/?a=%3Cb%3E&amp;c='%C3%A4'</h1>" in text
assert "<script" not in text and "<link" not in text and " src=" not in text and "url(" not in text
# no address but the one that was loaded
assert set(re.findall(r"https?://[^<\"/ ]*", text)) == {sys.argv[2]}, re.findall(r"https?://[^<\"/ ]*", text)
class Check(HTMLParser):
    open = []
    def handle_starttag(self, tag, attrs):
        if tag not in ("meta", "br", "path", "circle"):
            self.open.append(tag)
    def handle_endtag(self, tag):
        if tag not in ("path", "circle"):
            assert self.open.pop() == tag, tag
check = Check()
check.feed(text)
assert not check.open, check.open
END
"$magpie" load --quiet -n 100 -f csv "$url/" > "$work/csv"
same "columns" 11 "$(head -n 1 "$work/csv" | tr , '\n' | wc -l)"
same "the last row" "all,100" "$(tail -n 1 "$work/csv" | cut -d , -f 1,4)"
"$magpie" load --quiet -n 10 -o /dev/full "$url/" 2> "$work/err"
same "exit status when the disk is full" 1 $?
grep -q '/dev/full: No space' "$work/err" || fault "$(cat "$work/err")"
"$magpie" load --quiet -n 10 --html /no/such/page "$url/" > /dev/null 2> "$work/err"
same "exit status without the page" 1 $?

# not a terminal: lines, and no escapes
"$magpie" load -z 2500ms -c 2 "$url/" > "$work/out2" 2> "$work/err"
grep -qE '^ +[12] s  [0-9,]+ answers, now [0-9,]+/s, p50 .*, p99 .*, 0 errors$' "$work/err" || fault "$(cat "$work/err")"
lines=$(wc -l < "$work/err")
[ "$lines" = 2 ] || [ "$lines" = 1 ] || fault "$lines lines in 2.5 s"
grep -q $'\033' "$work/err" "$work/out2" && fault "escapes where there is no terminal"

# a signal: it ends, and reports
"$magpie" load -z 60s -c 4 -f json "$url/" > "$work/json" 2> "$work/err" &
pid=$!
await grep -qE ' [0-9]+ s ' "$work/err"
kill -INT "$pid"
wait "$pid"
same "exit status after SIGINT" 0 $?
holds "interrupted" "r['interrupted'] and r['answers'] > 10 and r['seconds'] < 30 and r['errors'] == 0"

# pty COLUMNS ROWS ENVIRONMENT...: what is seen on a terminal of that size
pty() {
	local columns=$1 rows=$2
	shift 2
	env -u NO_COLOR "$@" script -qec \
		"stty cols $columns rows $rows; exec '$magpie' load -z 2200ms -c 2 '$url/'" /dev/null < /dev/null > "$work/pty"
}
if command -v script > /dev/null && command -v stty > /dev/null; then
	pty 100 30 TERM=xterm LC_ALL=C.UTF-8
	grep -q $'\033\[6A' "$work/pty" || fault "nothing is drawn over on a terminal"
	grep -q $'\033\[36m' "$work/pty" || fault "no colour on a terminal"
	grep -q '█' "$work/pty" || fault "no bar"
	grep -q '^requests ' "$work/pty" || fault "no report on a terminal"
	pty 100 30 TERM=xterm LC_ALL=C NO_COLOR=1
	grep -q $'\033\[[0-9;]*m' "$work/pty" && fault "colour in spite of NO_COLOR"
	grep -q '[^[:print:][:space:]'$'\033'']' "$work/pty" && fault "letters that the locale does not have"
	pty 30 4 TERM=xterm LC_ALL=C.UTF-8
	grep -q $'\033\[3A' "$work/pty" || fault "a low terminal is not heeded"
	python3 - "$work/pty" << 'END' || fault "a narrow terminal is not heeded"
import re, sys
text = open(sys.argv[1], encoding="utf-8").read().split("GET ")[0]
lines = re.sub(r"\033\[[0-9;]*[A-Za-z]", "", text).replace("\r", "\n").split("\n")
sys.exit(max(map(len, lines)) > 29)
END
	pty 100 30 TERM=dumb
	grep -q $'\033' "$work/pty" && fault "escapes on a dumb terminal"
	grep -qE ' [0-9]+ s  ' "$work/pty" || fault "no lines on a dumb terminal"
else
	echo "SKIP: no script(1): the live view was not looked at"
fi

# wrong OPTION...: said in a line, exit status 2
wrong() {
	"$magpie" load "$@" > "$work/out2" 2> "$work/err"
	same "exit status of load $*" 2 $?
	same "lines about load $*" 1 "$(wc -l < "$work/err")"
	grep -q '^magpie load: ' "$work/err" || fault "load $*: $(cat "$work/err")"
	[ -s "$work/out2" ] && fault "load $* prints something"
}
wrong
wrong ftp://x/
wrong http://x:99999/
wrong 'http://x/a b'
wrong http://user@x/
wrong "$url/" "$url/"
wrong -c 0 "$url/"
wrong -c -1 "$url/"
wrong -c 1x "$url/"
wrong -c 10000000 "$url/"
wrong -n 0 "$url/"
wrong -q 0 "$url/"
wrong -q fast "$url/"
wrong -z 10x "$url/"
wrong -z 0s "$url/"
wrong -t 65 "$url/"
wrong --timeout x "$url/"
wrong -m 'G T' "$url/"
wrong -m CONNECT "$url/"
wrong -H nonsense "$url/"
wrong -H 'Content-Length: 3' "$url/"
wrong -d @/no/such/file "$url/"
wrong -f xml "$url/"
wrong --fail-if 'p99=1ms' "$url/"
wrong --fail-if 'p99>1' "$url/"
(
	ulimit -n 150
	wrong -c 100 "$url/"
	[ "$faults" = 0 ]
) || fault "too few open files"
stop

# the server goes away in the midst: it is asked now and then, not in a loop that does nothing else
start --threads 1
"$magpie" load -z 4s -c 4 -f json "$url/" > "$work/json" 2> "$work/err" &
pid=$!
await grep -qE ' [0-9]+ s ' "$work/err"
kill -KILL "$server"
wait "$server" 2> /dev/null
server=
wait "$pid"
same "exit status when the server goes away" 0 $?
holds "who is gone refuses" "r['answers'] > 10 and 4 < r['error_kinds']['connect_refused'] < 400"
finish
