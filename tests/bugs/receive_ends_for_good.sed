# SPDX-License-Identifier: MIT
# ended: a multishot receive that ends with data is the end of the receiver.
# file: src/net/receiver.c
# test: unit.receiver
# test: unit.sim_net
# test: simulated.faults_net
s/if \(res > 0 \|\| (.*)\(stopped && res == -ECANCELED\)\)/if (\1(stopped \&\& res == -ECANCELED))/
