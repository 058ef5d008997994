# SPDX-License-Identifier: MIT
# is_due: what the others need is cancelled with them.
# file: src/life/shutdown.c
# test: unit.shutdown shutdown/who_ends_in_time_is_not_cancelled
s/return stage == MAG_SHUTDOWN_LAST \&\& [^;]*;/return stage == MAG_SHUTDOWN_LAST;/
