# The long tests: what a test run does in seconds, for minutes. Sourced by build.sh.
# shellcheck shell=bash disable=SC2154
soak() { # MINUTES [FACTOR]
  local minutes=${1:-60} factor=${2:-20} started=$SECONDS
  need_dotnet
  publish
  dotnet build ApolloCheckpoint.sln -c "$configuration" -v q -nologo -clp:ErrorsOnly
  export APOLLO_SOAK=$minutes APOLLO_CRASH_FACTOR=$factor APOLLO_PUBLISHED_TOOL="$artifacts/publish/apollo-checkpoint"
  echo "soak: crash images x $factor, every fault at every operation, SIGKILL of a 200 MB model for $minutes minutes"
  local project failed=0
  local log="$artifacts/soak.log" filter="Ring=crash${APOLLO_SOAK_ONLY:+&FullyQualifiedName~$APOLLO_SOAK_ONLY}"
  for project in tests/Checkpoint.Engine.Tests tests/Checkpoint.Tool.Tests; do
    dotnet test "$project" --no-build -c "$configuration" -nologo --filter "$filter" --logger "console;verbosity=detailed" >"$log" 2>&1 || failed=1
    grep -E " images,| operations of | killed in |places that flush|flipped bits|versions: |^ +(Passed|Failed) |Error Message|^ +(Passed|Failed):" "$log" || true
  done
  echo "soak: $((SECONDS - started)) s"
  return $failed
}
