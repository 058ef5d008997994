#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clients under full load are killed, over and over: the server goes on, and keeps nothing of them.
source "$(dirname "$0")/long.bash"
need wrk curl

mkdir "$work/root"
head -c 300000 /dev/urandom > "$work/root/big"
echo small > "$work/root/small"
cat > "$work/pipeline.lua" << 'LUA'
init = function()
	local r = {}
	for i = 1, 16 do r[i] = wrk.format("GET", i % 4 == 0 and "/big" or "/small") end
	batch = table.concat(r)
end
request = function() return batch end
LUA

# kill_some: three kinds of load, killed while they run
kill_some() {
	local pids=()
	wrk -t 1 -c 50 -d 60 "$url/small" > /dev/null 2>&1 &
	pids+=($!)
	wrk -t 1 -c 50 -d 60 "$url/big" > /dev/null 2>&1 &
	pids+=($!)
	wrk -t 1 -c 20 -d 60 -s "$work/pipeline.lua" "$url/" > /dev/null 2>&1 &
	pids+=($!)
	sleep "0.$((RANDOM % 8 + 1))"
	kill -KILL "${pids[@]}"
	wait "${pids[@]}" 2> /dev/null
	killed=$((killed + ${#pids[@]}))
	curl -sf -m 10 "$url/big" | cmp -s - "$work/root/big" || fault "after $killed clients: no answer, or a wrong one"
	alive "killing clients"
}

killed=0
start --threads 2 --root "$work/root"
# what the server keeps for good it has after some of them
for _ in 1 2 3; do kill_some; done
sleep 1
note
while left; do kill_some; done
echo "$killed clients killed"
same_as_noted "killed clients" $((shelves + 4096))
stop
finish
