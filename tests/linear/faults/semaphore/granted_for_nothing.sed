# SPDX-License-Identifier: MIT
# serve: a waiter goes on, and its permits stay.
s/\t\tpermits -= need;\n/\t\t(void)need;\n/
