#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Clients behind a bad network: tests/long/chaos.sh in short.
exec bash "$(dirname "$0")/../long/chaos.sh" "$1" 3
