# SPDX-License-Identifier: MIT
# set_trust: certificates are not verified.
# file: src/http_client/easy.c
# test: script.fetch
s/if \(o->trust_anyone\)/if (1)/
