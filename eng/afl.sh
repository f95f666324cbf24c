#!/usr/bin/env bash
# eng/afl.sh TARGET MINUTES: fuzzes one target by coverage with AFL++ (Debian's afl++). Findings in artifacts/fuzz/TARGET/findings; exit 1 if there are any.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
target=$1 minutes=$2
command -v afl-fuzz >/dev/null || { echo "afl-fuzz is not here: apt install afl++" >&2; exit 2; }
at=$PWD/artifacts/fuzz/$target
rm -rf "$at" && mkdir -p "$at"
dotnet publish tests/Checkpoint.Fuzz -c Release -o "$at/program" -v q -nologo
# Files to begin from first: a program with counters in it runs only under a fuzzer. AFL is slow on long ones.
dotnet "$at/program/checkpoint-fuzz.dll" corpus "$target" "$at/corpus"
find "$at/corpus" -size +64k -delete
dotnet "$at/program/checkpoint-fuzz.dll" instrument "$at/program/ApolloCheckpoint.Engine.dll" >"$at/instrumented"
export AFL_SKIP_BIN_CHECK=1 AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 AFL_NO_AFFINITY=1
afl-fuzz -t 10000 -V $((minutes * 60)) -i "$at/corpus" -o "$at/findings" -- dotnet "$at/program/checkpoint-fuzz.dll" afl "$target" >"$at/log" 2>&1 ||
  { tail -20 "$at/log" >&2; exit 2; }
number() { sed -n "s/^$1 *: *//p" "$at/findings/default/fuzzer_stats"; }
echo "$target: $(number execs_done) files, $(number edges_found) edges, $(number corpus_count) files kept, $(number saved_crashes) crashes, $(number saved_hangs) hangs"
[ "$(number saved_crashes)$(number saved_hangs)" = 00 ]
