#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What is installed can be used: a program outside the tree builds with pkg-config and with find_package, and runs.
set -euo pipefail

root=$(realpath "$1") build=$(realpath "$2")
source "$root/tests/tools/lib.bash"
prefix=$scratch/prefix
cc=$(command -v cc || command -v gcc || command -v clang)

step()
{
	cases=$((cases + 1))
	"$@" > "$scratch/out" 2>&1 || { fail "$*"; cat "$scratch/out"; finish; }
}

step cmake --install "$build" --prefix "$prefix"

mkdir "$scratch/user"
cat > "$scratch/user/main.c" <<- 'END'
	#include <magpie/magpie.h>
	#include <stdio.h>
	int main(void) { return puts(mag_errname(-1)) < 0; }
END
cat > "$scratch/user/CMakeLists.txt" <<- 'END'
	cmake_minimum_required(VERSION 3.21)
	project(user LANGUAGES C)
	find_package(magpie 0.1 REQUIRED)
	add_executable(shared main.c)
	target_link_libraries(shared PRIVATE magpie::magpie)
	add_executable(static main.c)
	target_link_libraries(static PRIVATE magpie::static)
END
step cmake -S "$scratch/user" -B "$scratch/user/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc"
step cmake --build "$scratch/user/build"
step "$scratch/user/build/shared"
step "$scratch/user/build/static"

# modules are components
if [[ -n $(find "$prefix" -name 'magpie_tlsTargets.cmake') && -n $(find "$prefix" -name 'magpie_websocketTargets.cmake') ]]; then
	mkdir "$scratch/modules"
	cat > "$scratch/modules/main.c" <<- 'END'
		#include <magpie/websocket_tls.h>
		int main(void) { mag_tls tls = { 0 }; mag_tls_fini(&tls); return !mag_websocket_over_tls.recv; }
	END
	cat > "$scratch/modules/CMakeLists.txt" <<- 'END'
		cmake_minimum_required(VERSION 3.21)
		project(user LANGUAGES C)
		find_package(magpie 0.1 REQUIRED COMPONENTS tls websocket)
		add_executable(shared main.c)
		target_link_libraries(shared PRIVATE magpie::tls magpie::websocket)
		add_executable(static main.c)
		target_link_libraries(static PRIVATE magpie::tls_static magpie::websocket_static)
	END
	step cmake -S "$scratch/modules" -B "$scratch/modules/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc"
	step cmake --build "$scratch/modules/build"
	step "$scratch/modules/build/shared"
	step "$scratch/modules/build/static"
fi

pc=$(find "$prefix" -name magpie.pc)
# the file names the prefix of the configuration; this installation went elsewhere
read -ra flags <<< "$(PKG_CONFIG_PATH=$(dirname "$pc") pkg-config --define-variable=prefix="$prefix" --cflags --libs magpie)"
step "$cc" -o "$scratch/user/program" "$scratch/user/main.c" "${flags[@]}"
step env LD_LIBRARY_PATH="$(dirname "$pc")/.." "$scratch/user/program"

# nothing of ours is visible but mag_ and magi_
cases=$((cases + 1))
visible=$(nm -D --defined-only "$(dirname "$pc")/../libmagpie.so" | awk '{print $3}' | grep -vE '^(mag_|magi_|MAGPIE_)' || true)
[[ -z $visible ]] || fail "visible: $visible"

finish
