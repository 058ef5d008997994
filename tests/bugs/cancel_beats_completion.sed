# SPDX-License-Identifier: MIT
# frame_done: the result of a cancelled task's operation is dropped, and with it the descriptor that it brought.
# file: src/task/iop.c
# test: unit.late late/an_open_that_beats_its_cancel_leaves_no_descriptor
# test: unit.late late/an_accept_that_beats_its_cancel_leaves_no_descriptor
s/(\tif \(rec->flags & MAGI_REC_MORE\)[^\n]*\n\t\treturn;[^\n]*\n)(\tif \(s->make\)[^\n]*\n)(\t\tresult = s->make)/\1\tif (!s->sure \&\& magi_io_stopped(s))\n\t\tresult = -ECANCELED;\n\telse if (s->make)\n\3/
s/(#include "base\/assert\.h"\n)/#include <errno.h>\n\1/
