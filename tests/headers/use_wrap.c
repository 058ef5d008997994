/* SPDX-License-Identifier: MIT */
/* use_wrap.c - plain functions made async in a program without extensions; compiled only. */
#include <magpie/magpie.h>
#include <magpie/wrap.h>

double integrate(double from, double to, long steps);
void nothing(void);
int checked(int a, int b);

MAG_WRAP(integrate_async, MAG_COMPUTE, double, integrate, (double, from), (double, to), (long, steps))
MAG_WRAP_VOID(nothing_async, MAG_COMPUTE, nothing, )
MAG_WRAP_ERRNO(checked_async, MAG_BLOCKING, checked, (int, a), (int, b))
