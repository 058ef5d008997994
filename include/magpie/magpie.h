/* SPDX-License-Identifier: MIT */
/* magpie.h - everything that the library gives its users. */
#ifndef MAGPIE_MAGPIE_H
#define MAGPIE_MAGPIE_H

#include <magpie/error.h>
#include <magpie/fd.h>
#include <magpie/future.h>
#include <magpie/generator.h>
#include <magpie/group.h>
#include <magpie/runtime.h>
#include <magpie/scope.h>
#include <magpie/task.h>
#include <magpie/time.h>

#endif
