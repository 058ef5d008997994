/* SPDX-License-Identifier: MIT */
/* logging.h - Criterion's log macros, for the shim. */
#ifndef MAGPIE_SHIM_LOGGING_H
#define MAGPIE_SHIM_LOGGING_H

#include <criterion/criterion.h>

#define cr_log_info(...) shim_log(__VA_ARGS__)
#define cr_log_warn(...) shim_log(__VA_ARGS__)
#define cr_log_error(...) shim_log(__VA_ARGS__)

#endif
