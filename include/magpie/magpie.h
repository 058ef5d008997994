/* SPDX-License-Identifier: MIT */
/* magpie.h - everything that the library gives its users. */
#ifndef MAGPIE_MAGPIE_H
#define MAGPIE_MAGPIE_H

#include <magpie/acceptor.h>
#include <magpie/addr.h>
#include <magpie/broadcast.h>
#include <magpie/barrier.h>
#include <magpie/condition.h>
#include <magpie/error.h>
#include <magpie/event.h>
#include <magpie/fd.h>
#include <magpie/file.h>
#include <magpie/future.h>
#include <magpie/gather.h>
#include <magpie/generator.h>
#include <magpie/group.h>
#include <magpie/group_errors.h>
#include <magpie/io.h>
#include <magpie/lines.h>
#include <magpie/local.h>
#include <magpie/mutex.h>
#include <magpie/offload.h>
#include <magpie/oneshot.h>
#include <magpie/once.h>
#include <magpie/poll.h>
#include <magpie/queue.h>
#include <magpie/receiver.h>
#include <magpie/resolve.h>
#include <magpie/resource.h>
#include <magpie/runtime.h>
#include <magpie/rwlock.h>
#include <magpie/scope.h>
#include <magpie/select.h>
#include <magpie/semaphore.h>
#include <magpie/sendfile.h>
#include <magpie/stream.h>
#include <magpie/stream_crew.h>
#include <magpie/stream_end.h>
#include <magpie/stream_source.h>
#include <magpie/stream_stage.h>
#include <magpie/task.h>
#include <magpie/tcp.h>
#include <magpie/time.h>
#include <magpie/transaction.h>
#include <magpie/udp.h>
#include <magpie/unix.h>
#include <magpie/watch.h>

#endif
