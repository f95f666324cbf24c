# The long tests: what a test run does in seconds, for minutes. Sourced by build.sh.
# shellcheck shell=bash disable=SC2154
soak() { # MINUTES [FACTOR]
  local minutes=${1:-60} factor=${2:-20} started=$SECONDS
  need_dotnet
  publish
  dotnet build ApolloCheckpoint.sln -c "$configuration" -v q -nologo -clp:ErrorsOnly
  export APOLLO_SOAK=$minutes APOLLO_CRASH_FACTOR=$factor APOLLO_PUBLISHED_TOOL="$artifacts/publish/apollo-checkpoint"
  echo "soak: crash images x $factor, every test on every idle guard, every fault at every operation, SIGKILL of a 200 MB model and spoilt files for $minutes minutes each,"
  echo "      and on a real vLLM 50 rounds of kill -9 and every recorded setup of ranks"
  local failed=0
  soak_ring tests/Checkpoint.Engine.Tests "Ring=crash|Ring=fuzz" || failed=1
  soak_ring tests/Checkpoint.Mutants "Ring=mutants" || failed=1
  soak_ring tests/Checkpoint.Tool.Tests "Ring=crash" || failed=1
  set_up_vllm_ring && { soak_ring tests/Vllm.Tests "FullyQualifiedName~ServedByHttp|FullyQualifiedName~PublishedRanks" || failed=1; }
  echo "soak: $((SECONDS - started)) s"
  return $failed
}

soak_ring() { # PROJECT FILTER
  local log=$artifacts/soak-$(basename "$1").log filter="(${2})${APOLLO_SOAK_ONLY:+&FullyQualifiedName~$APOLLO_SOAK_ONLY}" failed=0
  dotnet test "$1" --no-build -c "$configuration" -nologo --filter "$filter" --logger "console;verbosity=detailed" >"$log" 2>&1 || failed=1
  grep -E " images,| operations of | killed |places that flush|flipped bits|guards: |versions: | spoilt |^ +(Passed|Failed) |Error Message|^ +(Passed|Failed):" "$log" || true
  return $failed
}
