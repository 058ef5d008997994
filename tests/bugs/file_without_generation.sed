# SPDX-License-Identifier: MIT
# fds_add: the name of a closed file is that of the next one in its place.
# file: src/io/fd.c
# test: unit.fd fd/stale_name_does_not_reach_the_file_that_reuses_the_record
s/(gen = generation\(magi_load_[a-z]+\(&r->word\)\)) \+ 1;/\1;/
