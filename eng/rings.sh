# The rings of the test run: NAME, test project, filter. A ring whose needs are there must run something.
# shellcheck disable=SC2034
rings=(
  "engine  tests/Checkpoint.Engine.Tests Ring!=python&Ring!=fuzz&Ring!=cuda&Ring!=crash"
  "crash   tests/Checkpoint.Engine.Tests Ring=crash"
  "crash   tests/Checkpoint.Tool.Tests   Ring=crash"
  "mutants tests/Checkpoint.Mutants      Ring=mutants"
  "fuzz    tests/Checkpoint.Engine.Tests Ring=fuzz"
  "tool    tests/Checkpoint.Tool.Tests   Ring!=python&Ring!=port&Ring!=package&Ring!=cuda&Ring!=crash&Ring!=browser"
  "rsync   tests/Rsync.Job.Tests         Ring!=none"
  "python  tests/Checkpoint.Engine.Tests Ring=python"
  "python  tests/Checkpoint.Tool.Tests   Ring=python"
  "cuda    tests/Checkpoint.Engine.Tests Ring=cuda"
  "cuda    tests/Checkpoint.Tool.Tests   Ring=cuda"
  "port    tests/Checkpoint.Tool.Tests   Ring=port"
  "package tests/Checkpoint.Tool.Tests   Ring=package"
  "browser tests/Checkpoint.Tool.Tests   Ring=browser"
  "vllm    tests/Vllm.Tests              Ring!=none"
  "aspire  tests/AppHost.Tests           Ring!=none"
)
declare -A ring_ready ring_why

set_up_ring() { # NAME, command...
  local name=$1 why
  shift
  if why=$("$@" 2>&1); then ring_ready[$name]=1; else ring_why[$name]=${why##*$'\n'}; fi
}

set_up_python() { install python3-torch python3-numpy python3-venv libpython3.11; }
set_up_port() { set_up_python && set_up_old_program; }
# The bundle needs Python 3.11; the packages are wanted, not needed: what cannot do without skips itself.
set_up_vllm_ring() { install python3-venv libpython3.11 xz-utils || true; set_up_vllm; }
# The stand-in for NVIDIA's driver is a C file.
set_up_cuda() { install gcc libc6-dev; }
# Pages are watched in Debian's Chromium.
set_up_browser() { command -v chromium >/dev/null || install chromium; }
set_up_rsync() { install rsync openssh-server openssh-client; }

set_up_rings() {
  install strace git >/dev/null 2>&1 || true
  set_up_ring python set_up_python
  set_up_ring cuda set_up_cuda
  set_up_ring port set_up_port
  set_up_ring rsync set_up_rsync
  set_up_ring browser set_up_browser
  set_up_ring vllm set_up_vllm_ring
  ring_ready[engine]=1 ring_ready[crash]=1 ring_ready[mutants]=1 ring_ready[fuzz]=1 ring_ready[tool]=1 ring_ready[package]=1 ring_ready[aspire]=1
}

# Counts over all test assemblies, from the result files the runner writes.
run_rings() {
  local results=$PWD/artifacts/test-results passed=0 failed=0 skipped=0 broken=0 row name project filter file
  local -A ran
  rm -rf "$results" && mkdir -p "$results"
  for row in "${rings[@]}"; do
    read -r name project filter <<<"$row"
    [ -e "$project" ] || continue
    file=$results/$name-$(basename "$project").trx
    local started=$SECONDS
    dotnet test "$project" --no-build -c "$configuration" -nologo -v q --filter "$filter" --logger "trx;LogFileName=$file" \
      --logger "console;verbosity=minimal" 2>&1 | tee "$file.log" | grep -vE '^\s*$|Test run for|A total of|Starting test|VSTest version' || true
    grep -q "No test matches the given testcase filter" "$file.log" && continue
    [ -e "$file" ] || { echo "$name: the test run of $project broke off" >&2; broken=1; continue; }
    local p f s
    p=$(grep -c 'outcome="Passed"' "$file" || true) f=$(grep -c '<UnitTestResult .*outcome="\(Failed\|Error\|Timeout\|Aborted\)"' "$file" || true)
    s=$(grep -c 'outcome="NotExecuted"' "$file" || true)
    grep -q '<ResultSummary outcome="\(Completed\|Failed\)"' "$file" || broken=1
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
    ran[$name]=$((${ran[$name]:-0} + p + f))
    printf '%-7s %-28s %5d passed %3d failed %3d skipped  %4d s\n' "$name" "$(basename "$project")" "$p" "$f" "$s" $((SECONDS - started))
  done
  for name in crash mutants fuzz python cuda port package browser vllm aspire rsync; do
    if [ -n "${ring_ready[$name]:-}" ] && [ "${ran[$name]:-0}" = 0 ]; then
      echo "ring $name ran nothing, though what it needs is here" >&2
      broken=1
    elif [ -z "${ring_ready[$name]:-}" ]; then
      echo "ring $name was not set up: ${ring_why[$name]:-unknown}"
    fi
  done
  [ $((passed + failed)) -gt 0 ] || broken=1
  [ $broken = 0 ] || failed=$((failed + 1))
  echo "$passed passed, $failed failed, $skipped skipped"
  [ $failed = 0 ]
}
