# SPDX-License-Identifier: MIT
# member_end: what the group itself has cancelled counts among its errors.
# file: src/task/member.c
# test: unit.group
s/if \(!called_off\)/if (true)/
