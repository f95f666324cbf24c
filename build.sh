#!/usr/bin/env bash
# The one script of this repository: ./build.sh demo|test|publish|pack|bench|vllm|soak. Each does its own set-up; README says what for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DiffEngine_Disabled=true
configuration=Release
artifacts="$PWD/artifacts"
. eng/setup.sh
. eng/rings.sh
. eng/soak.sh

usage() {
  cat <<'EOF'
usage: ./build.sh COMMAND
  demo      the product in 45 seconds: a live model, syncs, a crash, a restore; needs nothing but .NET
            (demo --pipeline: the whole pipeline under the Aspire dashboard)
  test      all tests; installs what they need where it can (Debian, root), skips with a reason where it cannot
  publish   a runnable tool at artifacts/publish/apollo-checkpoint
  pack      the dotnet tool package in artifacts/packages (and the Python wheel)
  bench     one table of measurements from one run
  vllm      a real vLLM for CPU in artifacts/vllm, for the end-to-end tests
  soak      the long tests (soak MINUTES FACTOR: minutes of SIGKILL and of spoilt files, factor of crash images; 60 and 20)
EOF
}

# Compiled ahead of time the tool starts several times as fast; the compiler for that is a package, which not every source of packages has.
publish() {
  need_dotnet
  local machine ahead=()
  machine=$([ "$(uname -m)" = aarch64 ] && echo linux-arm64 || echo linux-x64)
  if dotnet restore src/Checkpoint.Tool -r "$machine" -p:PublishReadyToRun=true -v q >/dev/null 2>&1; then
    ahead=(-r "$machine" --self-contained false -p:PublishReadyToRun=true)
  fi
  dotnet publish src/Checkpoint.Tool -c $configuration -o "$artifacts/publish" -v q -nologo "${ahead[@]}" "$@"
  echo "published: artifacts/publish/apollo-checkpoint"
}

pack() {
  need_dotnet
  rm -rf "$artifacts/packages"
  dotnet pack src/Checkpoint.Tool -c $configuration -o "$artifacts/packages" -v q -nologo
  eng/build-wheel.sh "$artifacts/packages"
  echo "packed: $(cd "$artifacts/packages" && ls | tr '\n' ' ')"
}

demo() {
  need_dotnet
  if [ "${1:-}" = --pipeline ]; then
    shift
    exec dotnet run --project src/AppHost -c $configuration -- "$@"
  fi
  [ -x "$artifacts/publish/apollo-checkpoint" ] && [ -z "$(find src -newer "$artifacts/publish/apollo-checkpoint" -name '*.cs' -print -quit)" ] || publish
  exec "$artifacts/publish/apollo-checkpoint" demo "$@"
}

run_tests() {
  need_dotnet
  ask_for_verify
  set_up_rings
  dotnet build ApolloCheckpoint.sln -c $configuration -v q -nologo -clp:ErrorsOnly
  pack
  publish && export APOLLO_PUBLISHED_TOOL="$artifacts/publish/apollo-checkpoint"
  run_rings
}

bench() {
  publish
  set_up_old_program || true
  dotnet run --project tests/Checkpoint.Benchmarks -c $configuration -- "$@"
}

command="${1:-}"
[ $# -gt 0 ] && shift
case "$command" in
  demo) demo "$@" ;;
  test) run_tests ;;
  publish) publish "$@" ;;
  pack) pack ;;
  bench) bench "$@" ;;
  vllm) set_up_vllm && set_up_vllm_trial ;;
  soak) soak "$@" ;;
  -h | --help | help | "") usage ;;
  *) usage >&2; exit 2 ;;
esac
