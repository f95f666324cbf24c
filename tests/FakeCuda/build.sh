#!/usr/bin/env bash
# build.sh FILE: the stand-in libcuda.so.1, with the system's C compiler (Debian: gcc libc6-dev).
set -euo pipefail
command -v cc >/dev/null || { echo "no C compiler (cc): apt-get install gcc libc6-dev" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")"
cc -std=gnu17 -O2 -Wall -Wextra -Werror -fPIC -fvisibility=hidden -shared -Wl,-soname,libcuda.so.1 -o "$1" ./*.c -pthread
