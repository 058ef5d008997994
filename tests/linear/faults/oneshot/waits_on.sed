# SPDX-License-Identifier: MIT
# deliver: those behind the first are not told.
s/magi_wait_grant_all\(&o->waitq, MAG_ECLOSED\)\); \/\* \[state\]/NULL); \/* [state]/
