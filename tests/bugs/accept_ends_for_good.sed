# SPDX-License-Identifier: MIT
# ended: a multishot accept that ends without an error is the end of the acceptor.
# file: src/net/acceptor.c
# test: simulated.faults_net
s/(\tif \()res >= 0 \|\| (\(stopped && res == -ECANCELED\)\)[^\n]*\n)/\1\2/
s/(\tcase -ECANCELED: )/\tcase 0 ... INT32_MAX:\n\1/
