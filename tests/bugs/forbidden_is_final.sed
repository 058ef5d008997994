# SPDX-License-Identifier: MIT
# explain: where io_uring is forbidden nothing runs.
# file: src/io/uring_setup.c
# test: unit.uring_setup uring_setup/forbidden_names_the_switch_or_the_filter
# test: script.no_uring
s/(\tswitch \(err\) \{[^\n]*\n)\tcase -EPERM:\n/\1\tcase -EPERM:\n\t\treturn err;\n/
