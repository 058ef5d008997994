#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Files over HTTP, as curl sees them.
source "$(dirname "$0")/serve.bash"
need curl cmp python3

root=$work/root
mkdir -p "$root/sub" "$root/empty" "$work/outside"
echo '<h1>index</h1>' > "$root/index.html"
echo text > "$root/sub/a b.txt"
: > "$root/zero"
echo secret > "$work/outside/secret"
for size in 1 3000 28000 32768 131072 131073 400000 20000001; do
	head -c "$size" /dev/urandom > "$root/$size.bin"
done
ln -s ../../outside/secret "$root/sub/out"
ln -s "$work/outside/secret" "$root/absolute"
ln -s ../outside "$root/folder"
ln -s 3000.bin "$root/inside"
ln -s loop "$root/loop"
mkfifo "$root/fifo"
# What a new link leads to is opened by a thread of the ring, which may wait. With one processor a ring has four of them.
for i in 1 2 3 4 5; do
	ln -s fifo "$root/to_fifo$i"
done
ln -s 3000.bin "$root/after_fifos"
echo hidden > "$root/denied"
chmod 000 "$root/denied"

start --root "$root"

# code PATH [CURL OPTION...]
code() {
	local path=$1
	shift
	curl -s --path-as-is -m 20 -o "$work/body" -D "$work/head" -w '%{http_code}' "$@" "$url$path"
}

for size in 1 3000 28000 32768 131072 131073 400000 20000001; do
	same "/$size.bin" 200 "$(code "/$size.bin")"
	cmp -s "$work/body" "$root/$size.bin" || fault "/$size.bin is not the file"
done
same / 200 "$(code /)"
cmp -s "$work/body" "$root/index.html" || fault "/ is not index.html"
grep -qi '^content-type: text/html' "$work/head" || fault "no content type of html"
same "a name with a blank" 200 "$(code '/sub/a%20b.txt')"
same "an empty file" 200 "$(code /zero)"
same "a link inside" 200 "$(code /inside)"
same "a query" 200 "$(code '/index.html?x=1')"
same "a dot segment inside" 200 "$(code /sub/../index.html)"

same "a folder without slash" 301 "$(code '/sub?q=1')"
grep -qi '^location: /sub/?q=1' "$work/head" || fault "the redirect leads to $(grep -i '^location' "$work/head")"
same "a folder without index" 404 "$(code /empty/)"
same "no such file" 404 "$(code /nothing)"
same "a file used as a folder" 404 "$(code /3000.bin/x)"
same "a loop of links" 404 "$(code /loop)"
if [ "$(id -u)" != 0 ]; then
	same "a file that may not be read" 403 "$(code /denied)"
fi

for path in /sub/out /absolute /folder/secret /../outside/secret /%2e%2e/outside/secret /sub/..%2f..%2foutside/secret \
	//etc/passwd '/..\outside\secret' /%00 /sub/%zz; do
	got=$(code "$path")
	case $got in
	400 | 404) ;;
	*) fault "$path: $got" ;;
	esac
	grep -q secret "$work/body" && fault "$path gave the file outside"
done
same "a FIFO does not block the server" 404 "$(code /fifo)"
for i in 1 2 3 4 5; do
	same "link $i to the FIFO" 404 "$(code "/to_fifo$i" -m 20)"
done
same "a file behind a new link, after those" 200 "$(code /after_fifos -m 20)"

same "HEAD" 200 "$(code /3000.bin -I)"
grep -qi '^content-length: 3000' "$work/head" || fault "HEAD without the length"
same "POST" 405 "$(code / -d x=1)"
grep -qi '^allow: GET, HEAD' "$work/head" || fault "405 without Allow"
same "a conditional request" 304 "$(code /3000.bin -z "$root/3000.bin")"
same "another date" 200 "$(code /3000.bin -H 'If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT')"
same "HTTP/1.0" 200 "$(code /3000.bin -0)"

# Reads of a file that is open O_NONBLOCK may end with EAGAIN when the file is not in memory; which kernels and disks do
# that is not to be relied on, so the flag is looked at, while a client holds a file open by not taking it.
exec 3<> "/dev/tcp/127.0.0.1/$port"
printf 'GET /20000001.bin HTTP/1.1\r\nHost: a\r\n\r\n' >&3
flags=
for _ in $(seq 1200); do
	for fd in "/proc/$server/fd/"*; do
		[ "$(readlink "$fd")" = "$root/20000001.bin" ] || continue
		flags=$(sed -n 's/^flags:[[:space:]]*//p' "/proc/$server/fdinfo/${fd##*/}")
	done
	[ -n "$flags" ] && break
	sleep 0.05
done
if [ -z "$flags" ]; then
	fault "the file that a client does not take is not open"
elif ((flags & 04000)); then
	fault "a file is read with O_NONBLOCK: flags $flags"
fi
exec 3>&-

# what a client does not take waits here, not in the kernel; when it has taken some, the kernel decides
python3 - "$port" << 'END' || fault "a socket is filled for a client that takes nothing, or not for one that does"
import socket, sys, time
port = int(sys.argv[1])

def queued(s):  # bytes in the server's end
    end = ":%04X" % s.getsockname()[1]
    for line in open("/proc/net/tcp"):
        f = line.split()
        if f[1].endswith(":%04X" % port) and f[2].endswith(end):
            return int(f[4].split(":")[0], 16)
    return 0

def ask(take):
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.sendall(b"GET /20000001.bin HTTP/1.1\r\nHost: a\r\n\r\n")
        while take > 0:
            take -= len(s.recv(65536))
        last, same = -1, 0
        for _ in range(400):
            now = queued(s)
            same = same + 1 if now and now == last else 0
            if same == 10:
                break
            last = now
            time.sleep(0.05)
        return last

first, later = ask(0), ask(3 << 20)
print(first, later)
sys.exit(not 0 < first < 500000 < later)
END

# a client that goes away in the middle of a file loses only its own connection
curl -s -m 1 --limit-rate 1000 -o /dev/null "$url/20000001.bin"
same "after that" 200 "$(code /)"

# as many at once as a browser would, over and over
for _ in 1 2 3 4 5 6; do
	(for _ in 1 2 3 4 5 6 7 8 9 10; do curl -s "$url/400000.bin" | cmp -s - "$root/400000.bin" || echo bad; done) &
done > "$work/many"
wait $(jobs -p | grep -v "^$server$")
[ -s "$work/many" ] && fault "parallel downloads differ"
stop
finish
