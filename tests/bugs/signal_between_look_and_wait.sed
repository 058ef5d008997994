# SPDX-License-Identifier: MIT
# mag_signal_next: what comes between the look and the wait is not seen.
# file: src/process/signal.c
# test: simulated.life life/no_signal_is_lost
s/\trc = take\(s\);\n\tif \(rc == -EAGAIN\) \{/\trc = -EAGAIN;\n\tif (rc == -EAGAIN) {/
