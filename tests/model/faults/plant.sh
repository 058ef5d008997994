#!/bin/sh
# SPDX-License-Identifier: MIT
# Writes copies of some sources with a fault in one of them: plant.sh FAULT.sed FOLDER ROOT FILE...
# A FILE is relative to ROOT and keeps its place in FOLDER. It is an error when the fault is not found: the source has
# changed, and the fault must follow.
set -eu
fault=$1 folder=$2 root=$3
shift 3
changed=0
for file; do
	mkdir -p "$folder/$(dirname "$file")"
	sed -z -E -f "$fault" "$root/$file" >"$folder/$file"
	cmp -s "$root/$file" "$folder/$file" || changed=$((changed + 1))
done
[ "$changed" = 1 ] || { echo "$fault changes $changed of these, not one: $*" >&2; exit 1; }
