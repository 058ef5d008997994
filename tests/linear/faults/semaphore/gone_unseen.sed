# SPDX-License-Identifier: MIT
# acquire: whom a cancelled waiter held up nobody looks at.
s/\ts->waitq\.gone = gone;\n/\t(void)gone;\n/
