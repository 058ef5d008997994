/* SPDX-License-Identifier: MIT */
/* stub.c - what the sources call besides what a model is about: no execution may come here. A test that needs one of these
 * has its own. */
#include "model/thread.h"

#define STUB(name)                                              \
	void name(void);                                        \
	__attribute__((weak)) void name(void)                   \
	{                                                       \
		explore_abort(#name " lies outside the model"); \
	}

STUB(magi_free)
STUB(magi_io_drain)
STUB(magi_offload_punt)
STUB(magi_runtime_opened)
STUB(magi_runtime_stopped)
STUB(magi_self_set)
STUB(magi_slab_drain)
STUB(magi_wheel_init)
STUB(magi_panic)
STUB(magi_slab_publish)
STUB(magi_sleep_cancel)
STUB(magi_slot_mail)
STUB(magi_wake_worker)
