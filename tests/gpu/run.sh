#!/usr/bin/env bash
# run.sh [--gb N] [--stand-in]: native CUDA on a machine with an NVIDIA GPU, measured and checked; README.md says what it prints.
# --stand-in runs the same steps against the stand-in driver of tests/FakeCuda: the logic, no GPU.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
python=${PYTHON3:-python3}
gigabytes=4 stand_in=
while [ $# -gt 0 ]; do
  case "$1" in
    --gb) gigabytes=${2:?--gb N}; shift 2 ;;
    --stand-in) stand_in=1; shift ;;
    *) echo "usage: tests/gpu/run.sh [--gb N] [--stand-in]" >&2; exit 2 ;;
  esac
done
command -v "$python" >/dev/null || { echo "no $python: install Python 3.9 or later, or name one: PYTHON3=PATH" >&2; exit 2; }

if [ -n "$stand_in" ]; then
  driver=$(mktemp -d)
  trap 'rm -rf "$driver"' EXIT
  "$root/tests/FakeCuda/build.sh" "$driver/libcuda.so.1"
  export APOLLO_STAND_IN="$driver"
else
  "$python" -c 'import ctypes; ctypes.CDLL("libcuda.so.1")' 2>/dev/null ||
    { echo "no GPU here: libcuda.so.1, NVIDIA's driver, is not on this machine. Run this where the GPU is; --stand-in tries the steps without one." >&2; exit 2; }
  "$python" -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2>/dev/null ||
    { echo "$python has no torch that sees a GPU: install torch for CUDA, or name a Python that has it: PYTHON3=PATH" >&2; exit 2; }
fi

tool=${APOLLO_CHECKPOINT:-$root/artifacts/publish/apollo-checkpoint}
[ -x "$tool" ] || (cd "$root" && ./build.sh publish >&2)
export APOLLO_CHECKPOINT="$tool"
"$python" "$here/measure.py" "$gigabytes"
