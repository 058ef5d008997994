#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# SIGTERM under load drops no request: tests/long/drain.sh in short.
exec bash "$(dirname "$0")/../long/drain.sh" "$1" 3
