# SPDX-License-Identifier: MIT
# What the scripts that test `magpie load` share, beside serve.bash: loads whose JSON is asked.
source "$(dirname "$0")/serve.bash"
need python3

# load STATUS ARGUMENT...: its JSON is in $work/json, its exit status as wanted
load() {
	local want=$1 rc
	shift
	"$magpie" load --quiet -f json "$@" > "$work/json" 2> "$work/err"
	rc=$?
	[ "$rc" = "$want" ] || fault "load $*: exit status $rc, wanted $want: $(head -c 300 "$work/err")"
}

# holds WHAT EXPRESSION: of r, the JSON
holds() {
	python3 -IS -c "
import json, sys
r = json.load(open('$work/json'))
sys.exit(0 if ($2) else 1)" 2> "$work/python" || fault "$1: not $2: $(head -c 1500 "$work/json") $(cat "$work/python")"
}
