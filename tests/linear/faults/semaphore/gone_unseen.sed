# SPDX-License-Identifier: MIT
# acquire: whom a cancelled waiter held up nobody looks at.
s/\t\ts->waitq\.gone = gone;\n/\t\t(void)gone;\n/
