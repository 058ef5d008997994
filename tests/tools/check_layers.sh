#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# tools/check-layers passes a good tree, and finds each fault that is planted in it.
set -euo pipefail

root=$(realpath "$1")
source "$root/tests/tools/lib.bash"
check=("$root/tools/check-layers" --root "$scratch/tree")

good_tree()
{
	rm -rf "$scratch/tree"
	put include/magpie/magpie.h <<< '#include <magpie/mutex.h>'
	put include/magpie/types.h <<< '#define MAG_API __attribute__((visibility("default")))'
	put include/magpie/impl/atomic.h <<< '#define magi_load_acq(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)'
	put include/magpie/impl/frame.h <<< '#include <magpie/impl/atomic.h>'
	printf '#include <magpie/types.h>\nMAG_API int mag_mutex_lock(void);\n' | put include/magpie/mutex.h
	printf '#include <magpie/types.h>\nMAG_API int mag_strerror(int);\n' | put include/magpie/error.h
	printf '#include "error.h"\n#include <magpie/error.h>\n#include <magpie/types.h>\n' | put src/base/error.c
	put src/base/error.h <<< '#include <stdint.h>'
	put src/io/io.h <<< '#include "base/error.h"'
	put src/io/uring.h <<< '#include <liburing.h>'
	printf '#include "io/io.h"\n#include "uring.h"\n#include <magpie/impl/frame.h>\n' | put src/io/uring.c
	printf '#include "io/io.h"\n#include "base/error.h"\n' | put src/sched/worker.h
	printf '#include "sched/worker.h"\n#include <magpie/impl/frame.h>\n' | put src/sched/worker.c
	printf '#include <magpie/mutex.h>\n#include "sched/worker.h"\n#include "io/io.h"\n' | put src/sync/mutex.c
	put src/task/group.h <<< '#include "sched/worker.h"'
	put src/net/tcp.c <<< '#include "task/group.h"'
	printf '#include <magpie/magpie.h>\n#include "retry.h"\n' | put src/flow/retry.c
	put src/flow/retry.h <<< '#include <magpie/mutex.h>'
	printf '#include <magpie/magpie.h>\n#include "tool.h"\n#include "bench.h"\n' | put tools/magpie/main.c
	put tools/magpie/tool.h <<< ''
	printf '/* not __atomic_load_n */\n#include <magpie/impl/atomic.h>\n' | put bench/bench.h
	put examples/hello.c <<< '#include <magpie/magpie.h>'
	put tests/unit/test_mutex.c <<< '#include "sched/worker.h"'
	yes '' | head -n 500 | put src/base/long.c || true
}

# planted FILE LINE TEXT: appends the line to the file; the fault must name the file and say the text
planted()
{
	good_tree
	printf '%s\n' "$2" >> "$scratch/tree/$1"
	expect_fault "$1: $2" "$1:$(wc -l < "$scratch/tree/$1"): |$3" "${check[@]}"
}

good_tree
expect_clean "good tree" "${check[@]}"

planted src/base/error.c '#include "sched/worker.h"' "base must not include sched/worker.h"
planted src/base/error.c '#include <magpie/mutex.h>' "belongs to sync"
planted src/base/error.h '#include <magpie/magpie.h>' "umbrella"
planted src/io/uring.c '#include "../sched/worker.h"' "io must not include sched/worker.h"
planted src/sched/worker.c '#include "io/uring.h"' "sched must not include io/uring.h"
planted src/sched/worker.c '#include "task/group.h"' "sched must not include task/group.h"
planted src/sched/worker.c '#include <magpie/mutex.h>' "belongs to sync"
planted src/sync/mutex.c '#include "io/uring.h"' "of io only io/fd.h, io/io.h, io/slots.h"
planted src/net/tcp.c '#include "flow/retry.h"' "net must not include flow/retry.h"
planted src/net/tcp.c '#include "nothing.h"' "not in the tree"
planted src/flow/retry.c '#include "sched/worker.h"' "public headers only"
planted src/flow/retry.h '#include <magpie/impl/frame.h>' "not API"
planted tools/magpie/main.c '#include "base/error.h"' "public headers only"
planted bench/bench.h '#include "../src/base/error.h"' "public headers only"
planted bench/bench.h '#include "tool.h"' "public headers only"
planted examples/hello.c '#include <magpie/impl/frame.h>' "not API"
planted include/magpie/mutex.h '#include "../../src/base/error.h"' "a public header must not include"
planted src/sched/worker.c 'int f(int *p) { return __atomic_load_n(p, 0); }' "raw atomic __atomic_load_n"
planted src/sched/worker.c '_Atomic int x;' "raw atomic _Atomic"
planted src/base/error.h '#include <stdatomic.h>' "raw atomic stdatomic.h"
planted tests/unit/test_mutex.c 'int g(int *p) { return __sync_fetch_and_add(p, 1); }' "raw atomic __sync_fetch_and_add"
planted include/magpie/types.h 'int h(void *p) { return atomic_load(p); }' "raw atomic atomic_load"
planted src/base/long.c '' "501 lines, over 500"

finish
