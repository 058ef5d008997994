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

/* Debug mode is off. */
#define SILENT(name)                          \
	void name(void);                      \
	__attribute__((weak)) void name(void) \
	{                                     \
	}

SILENT(magi_held_drop)
SILENT(magi_held_put)
SILENT(magi_task_ended)
SILENT(magi_unread_heard)
SILENT(magi_unread_heard_one)
SILENT(magi_unread_note)
SILENT(magi_unread_tell)
STUB(magi_free)
STUB(magi_io_drain)
STUB(magi_offload_punt)
STUB(magi_runtime_opened)
STUB(magi_runtime_stopped)
STUB(magi_self_set)
STUB(magi_slab_drain)
STUB(magi_wheel_init)
STUB(magi_wheel_add)
STUB(magi_wheel_remove)
STUB(magi_panic)
STUB(magi_slab_publish)
STUB(magi_sleep_cancel)
STUB(magi_slot_mail)
STUB(magi_wake_worker)
STUB(magi_slab_surplus)
STUB(magi_stall_ended)
STUB(magi_tell_crowd)
STUB(magi_tell_left)
STUB(magi_tell_unheard)
STUB(magi_slab_refill)
STUB(magi_class_bytes)
STUB(magi_gen_leave)
STUB(magi_gen_end)
STUB(mag_group_clear)
STUB(magi_using_leave)
STUB(magi_group_leave)
STUB(magi_scope_close)
STUB(magi_unlink)
STUB(magi_inline_release)
STUB(magi_spawn_end)
STUB(magi_runtime_drained)
STUB(magi_alloc)
STUB(magi_slab_give_foreign)
STUB(magi_until)
STUB(magi_wake_for_work)
STUB(magi_scope_arm)
STUB(magi_deque_share)
STUB(magi_resume_here)
STUB(magi_monitor_enter)
STUB(magi_monitor_leave)
STUB(magi_monitor_wait)
STUB(magi_monitor_broadcast)
STUB(magi_mutex_lock)
STUB(magi_mutex_unlock)
STUB(mag_sleep_until)
STUB(mag_now)
STUB(magi_arrive)
STUB(magi_call_surplus)
STUB(magi_deque_pop_shared)
STUB(magi_fork_end)
STUB(magi_fork_surplus)
STUB(magi_leave)
