#!/usr/bin/env bash
# Builds the wheel of python/apollo-vllm into the given folder with nothing but Python's standard library.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
[ -d python/apollo-vllm ] || exit 0
command -v python3 >/dev/null || { echo "no python3: the wheel is not built" >&2; exit 0; }
exec python3 eng/build_wheel.py python/apollo-vllm "$1"
