# SPDX-License-Identifier: MIT
# cancel_slot: the task goes on when its operation has been asked to end: its buffer is still the kernel's.
# file: src/task/iop.c
# test: unit.iop iop/a_cancelled_operation_resumes_on_its_terminal_record_when_the_buffer_is_free
s/\tif \(!s->sure\)[^\n]*\n\t\tmagi_io_cancel\(w, magi_token\(ring_index\(w\), s\)\);/\tstruct magi_rec rec = { .token = magi_token(ring_index(w), s), .res = -ECANCELED };\n\n\tif (!s->sure) {\n\t\tmagi_io_cancel(w, rec.token);\n\t\ts->done(w, s, \&rec);\n\t}/
s/(#include "base\/assert\.h"\n)/#include <errno.h>\n\1/
