# SPDX-License-Identifier: MIT
# fork: the parent is written once more after thieves can have it.
# file: include/magpie/impl/worker.h
# test: model.fork
s/(\tif \(MAGI_UNLIKELY\(!magi_deque_push\(&w->deque, parent\)\)\)[^\n]*\n\t\treturn magi_fork_full[^\n]*\n)/\1\tparent->op.result = 0;\n/
