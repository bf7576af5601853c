#!/usr/bin/env bash
# Our benchmarks and the field's tools on the same work, turn by turn: installs the tools into
# .deps/peers at first use, then runs `vmr bench` with them. `./dev bench` comes here after building.
#
#   benchmarks/run.sh [TOPIC...] [--json] [--rounds N]   as vmr bench
#   benchmarks/run.sh --record                           all topics into benchmarks/results/<machine>.md
#   VMR_PROGRAM=path/to/vmr                              another build than build/release
#   VMR_BENCH_PEERS=0                                    ours alone, nothing is installed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

vmr=${VMR_PROGRAM:-build/release/apps/vmr}
python=$PWD/.deps/peers/bin/python
readonly PEERS=(torch==2.11.0 torchaudio==2.11.0 'torchcodec==0.11.*' numpy scipy
  opencv-python-headless soundfile librosa lmdb faiss-cpu threadpoolctl pyyaml mir_eval)
# Each is left out where it does not install. madmom needs a numpy of its time, so an environment of
# its own.
readonly BEAT_PEERS=(aubio essentia)
madmom_python=$PWD/.deps/peers-madmom/bin/python

say() { printf '==> %s\n' "$*" >&2; }

install_peers() {
  local wanted="${PEERS[*]} ${BEAT_PEERS[*]} madmom" complete=.deps/peers/.bench-complete peer
  [ "$(cat "$complete" 2>/dev/null)" = "$wanted" ] && return 0
  say "installing the field's tools into .deps/peers (5 GB, a few minutes)"
  mkdir -p .deps
  [ -x "$python" ] || python3 -m venv .deps/peers || return 1
  local pip=("$python" -m pip install -q --disable-pip-version-check)
  "${pip[@]}" "${PEERS[@]}" >&2 || return 1
  for peer in "${BEAT_PEERS[@]}"; do
    "${pip[@]}" "$peer" >&2 || say "$peer does not install here: left out"
  done
  install_madmom || say "madmom does not install here: left out"
  printf '%s\n' "$wanted" >"$complete"
}

install_madmom() {
  rm -rf .deps/peers-madmom
  python3 -m venv .deps/peers-madmom &&
    "$madmom_python" -m pip install -q 'numpy<1.24' scipy mido cython 'setuptools<80' wheel soundfile >&2 &&
    "$madmom_python" -m pip install -q --no-build-isolation madmom==0.16.1 >&2 && return 0
  rm -rf .deps/peers-madmom
  return 1
}

machine() { awk -F': *' '/^model name/ {print $2; exit}' /proc/cpuinfo; }

describe_machine() {
  local family
  family=$(awk -F': *' '/^cpu family/ {f=$2} /^model\t/ {m=$2} END {print "family " f ", model " m}' /proc/cpuinfo)
  printf '%s (%s), %s cores, load average %s; %s.\n' "$(machine)" "$family" "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)" "$(date -u +%Y-%m-%d)"
  printf 'libvmr at %s, %s, FFmpeg %s.\n' "$(git rev-parse --short HEAD 2>/dev/null || echo '?')" \
    "$(c++ --version | head -1)" "$(ffmpeg -version 2>/dev/null | awk '{print $3; exit}')"
  [ -z "${VMR_PEERS_PYTHON:-}" ] || "$python" -m pip list --disable-pip-version-check --format=freeze 2>/dev/null |
    grep -E '^(torch|torchaudio|torchcodec|numpy|opencv|librosa|aubio|essentia|lmdb|faiss)' | paste -sd' '
}

[ -x "$vmr" ] || { echo "benchmarks/run.sh: $vmr is not built; use ./dev bench" >&2; exit 3; }
if [ "${VMR_BENCH_PEERS:-1}" != 0 ]; then
  if install_peers; then
    export VMR_PEERS_PYTHON=$python
    [ ! -x "$madmom_python" ] || export VMR_MADMOM_PYTHON=$madmom_python
  else
    say "the field's tools cannot be installed here (see above): ours alone"
  fi
fi

if [ "${1:-}" != --record ]; then
  exec "$vmr" bench "$@"
fi
shift
result=benchmarks/results/$(machine | tr -cs 'A-Za-z0-9\n' '-' | sed 's/-*$//').md
mkdir -p benchmarks/results
table=$("$vmr" bench "$@")
# What was written by hand below the table stays.
notes=$(sed -n '/^## Notes/,$p' "$result" 2>/dev/null || true)
{
  printf '# %s\n\n' "$(machine)"
  describe_machine
  printf '\nBest of three turns of each side; ratio above 1: libvmr is faster. Made by ./dev bench --record.\n\n'
  printf '%s\n' "$table"
  [ -z "$notes" ] || printf '\n%s\n' "$notes"
} >"$result.new"
mv "$result.new" "$result"
say "written: $result"
