#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The requests of the conformance file, given to python3-h11: where it says something else there is a reason.
set -u
for python in /usr/bin/python3 python3; do
	"$python" -c 'import h11' 2> /dev/null || continue
	exec "$python" "$(dirname "$0")/http_h11.py" "$(dirname "$0")/../http/conformance.txt"
done
echo "SKIP: no python3-h11"
exit 77
