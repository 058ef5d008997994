# SPDX-License-Identifier: MIT
# sleep_until_work: between its announcement and its sleep a worker looks at all but its mail: an operation is not
# cancelled.
# file: src/run/worker.c
# test: model.idle idle/mail_wakes_its_worker
s/(\tmagi_sleep_begin\(w\);[^}]*)\tmagi_io_read_mail\(w\);[^\n]*\n/\1/
