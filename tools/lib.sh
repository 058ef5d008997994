# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# lib.sh - what tools/demo and tools/check share; sourced.

# need PACKAGE PROBE [PACKAGE PROBE]...
# Installs the Debian packages whose probe fails, and names them. A probe is a command, a pkg-config module (pc:NAME), a
# file (/PATH) or a compiler with flags that an empty program is linked with (link:COMPILER FLAG...): what is there by
# other means is not installed again.
need()
{
	local package probe words missing=() sudo=()
	while (($# > 0)); do
		package=$1 probe=$2
		shift 2
		case $probe in
		pc:*) pkg-config --exists "${probe#pc:}" 2> /dev/null || missing+=("$package") ;;
		link:*) read -ra words <<< "${probe#link:}" && links "${words[@]}" || missing+=("$package") ;;
		/*) [[ -e $probe ]] || missing+=("$package") ;;
		*) command -v "$probe" > /dev/null || missing+=("$package") ;;
		esac
	done
	if ((${#missing[@]} == 0)); then
		echo "packages: all present"
		return
	fi
	if ! command -v apt-get > /dev/null; then
		echo "missing: ${missing[*]}. These are Debian's names; without apt-get, install them yourself." >&2
		exit 1
	fi
	if ((EUID != 0)); then
		if ! command -v sudo > /dev/null; then
			echo "missing: ${missing[*]}. Installing them needs root or sudo." >&2
			exit 1
		fi
		sudo=(sudo)
	fi
	echo "packages: installing ${missing[*]}"
	# one broken source of many is no reason to stop: the installation tells
	"${sudo[@]}" apt-get update -qq || echo "apt-get update failed; trying with the lists that are there"
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" \
		> /dev/null
}

# links COMPILER FLAG...: whether an empty program can be linked
links()
{
	command -v "$1" > /dev/null && "$@" -x c -o /dev/null - <<< 'int main(void) { return 0; }' > /dev/null 2>&1
}

# quietly LOG COMMAND...: runs it with its output in a file; shows the end of that when it fails
quietly()
{
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	if ! "$@" > "$log" 2>&1 < /dev/null; then
		tail -n 60 "$log"
		echo "failed: $* (all of it: $log)"
		return 1
	fi
}
