#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# compile.sh INCLUDE_DIR WHAT
# A header must compile alone, first in the file, in C11 and C17 without extensions and parse as C++17; a .c file, which
# uses the headers' macros, must compile in C11 and C17 at several levels; one called refused_* must not, and the compiler
# must say what stands in quotes in its second line. With and without the debug checks; with gcc, and with MAGPIE_LONG (and
# what must not compile) with clang as well, where they are present.
set -euo pipefail

include=$1 what=$2
strict="-pedantic-errors -Wall -Wextra -Wshadow -Werror"
faults=0 runs=0
reason=
[[ ${what##*/} == refused_* ]] && reason=$(sed -n '2s/.*"\(.*\)".*/\1/p' "$what")

# compile COMPILER LANGUAGE FLAGS... < source
compile()
{
	local compiler=$1 language=$2
	shift 2
	command -v "$compiler" > /dev/null || return 0
	runs=$((runs + 1))
	if output=$("$compiler" -x "$language" "$@" -I"$include" - 2>&1); then
		[[ $reason ]] || return 0
		echo "$what: compiles with $compiler $*"
		faults=$((faults + 1))
	elif [[ $reason && $output == *"$reason"* ]]; then
		return 0
	else
		echo "$what: fails with $compiler $*"
		head -n 12 <<< "$output"
		faults=$((faults + 1))
	fi
}

compilers="gcc clang"
[[ ${MAGPIE_LONG:-} || $reason ]] || ! command -v gcc > /dev/null || compilers=gcc
for cc in $compilers; do
	for debug in "" -DMAGPIE_DEBUG=1; do
		for std in c11 c17; do
			case $what in
			*.h)
				compile $cc c -std=$std $strict $debug -O1 -c -o /dev/null <<< "#include <$what>"
				;;
			*)
				for level in -O0 -Og "-O3 -fPIC"; do
					compile $cc c -std=$std $strict $debug $level -c -o /dev/null < "$what"
				done
				;;
			esac
		done
		if [[ $what == *.h ]]; then
			cxx=${cc/gcc/g++}
			compile ${cxx/clang/clang++} c++ -std=c++17 -Wall -Wextra -Werror $debug -fsyntax-only \
				<<< "#include <$what>"
		fi
	done
done

if ((runs == 0)); then
	echo "SKIP: no compiler of the name gcc or clang"
	exit 77
fi
echo "$what: $runs compilations, $faults failed"
exit $((faults > 0))
