#!/bin/sh
# SPDX-License-Identifier: MIT
# Makes FOLDER a copy of the sources with the bug NAME put back, in the tree that it is run in: put_back.sh NAME FOLDER
# NAME: none for no bug. What the copy has already keeps its time, so that a build goes on from there. A bug that its file
# does not have any more is an error: the source has changed, and the bug must follow.
set -eu
name=$1 folder=$2
bug=tests/bugs/$name.sed
planted=$folder.planted
rm -rf "$planted"
if [ "$name" != none ]; then
	[ -f "$bug" ] || { echo "there is no $bug" >&2; exit 1; }
	file=$(sed -n 's/^# file: //p' "$bug")
	[ -f "$file" ] || { echo "$bug: it must name a file, '# file: src/...'" >&2; exit 1; }
	sh tests/model/faults/plant.sh "$bug" "$planted" . "$file"
fi
find src include tools/magpie -name '*.[ch]' | sort > "$folder.files"
while read -r one; do
	from=$one
	[ ! -f "$planted/$one" ] || from=$planted/$one
	cmp -s "$from" "$folder/$one" && continue
	mkdir -p "$folder/$(dirname "$one")"
	cp "$from" "$folder/$one"
done < "$folder.files"
(cd "$folder" && find . -name '*.[ch]' | sed 's|^\./||' | sort) | comm -13 "$folder.files" - | while read -r one; do
	rm "$folder/$one"
done
