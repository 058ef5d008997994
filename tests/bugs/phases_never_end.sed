# SPDX-License-Identifier: MIT
# plan_phase: nobody looks whether an exchange has taken too long.
# file: src/http_client/hop.c
# test: http_client.faults http_faults/connecting_has_its_limit
s/magi_client_plan\(x->lane, x->planned\);//
