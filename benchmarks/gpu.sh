#!/usr/bin/env bash
# Tests, sanitizers and benchmarks of the CUDA code in one call of under ten minutes, on a machine
# with a CUDA device, nvcc, CMake, a C++20 compiler and torch 2.11 in Python, and nothing else: no
# FFmpeg, OpenCV, LMDB, Debian packages or network. What is missing there is carried along:
#
#   mkdir -p .deps/gpu && cp -r /usr/src/googletest .deps/gpu/ && cp -r /usr/include/nlohmann .deps/gpu/
#   (libgtest-dev, nlohmann-json3-dev; for the benchmarks also Google Benchmark's source)
#   GTEST_SOURCE=.deps/gpu/googletest NLOHMANN_INCLUDE=.deps/gpu [BENCHMARK_SOURCE=...] benchmarks/gpu.sh
#
#   GTEST_SOURCE      folder with googletest's top CMakeLists.txt; without it: an installed GTest
#   NLOHMANN_INCLUDE  folder that holds nlohmann/json.hpp; without it: an installed nlohmann_json
#   BENCHMARK_SOURCE  Google Benchmark's source; without it and an installed one: tests only
#   TORCH_DIR         <torch>/share/cmake/Torch; without it: the torch of python3
#   OUT               where results go; default benchmarks/results
#   BUILD             build folder; default build/gpu
# Results: gpu.txt (machine, ctest, sanitizers, in order), gpu_log_mel*.json and gpu_flow_cuda.json.
# Exit 1 when any step failed; the steps after it still run.
# shellcheck disable=SC2016  # the steps' own shells expand their arguments
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 3

out=${OUT:-benchmarks/results}
build=$(realpath -m "${BUILD:-build/gpu}")
prefix=$build/prefix
jobs=${VMR_JOBS:-$(nproc)}
mkdir -p "$out" "$prefix"
log=$out/gpu.txt
: >"$log"
failed=0

say() { printf '==> %s\n' "$*" | tee -a "$log"; }
stop() { say "gpu.sh: $*"; exit 3; }
# step NAME SECONDS COMMAND...: its output goes to the log, its last lines are shown when it fails.
step() {
  local name=$1 limit=$2 began=$SECONDS
  shift 2
  say "$name"
  if timeout "$limit" "$@" >"$build/step.log" 2>&1; then
    cat "$build/step.log" >>"$log"
    say "$name: done in $((SECONDS - began)) s"
  else
    cat "$build/step.log" >>"$log"
    tail -40 "$build/step.log"
    say "$name: FAILED after $((SECONDS - began)) s"
    failed=1
    return 1
  fi
}

# install_source NAME FOLDER OPTIONS...: builds a library that was carried along into the prefix.
install_source() {
  local name=$1 source=$2
  shift 2
  step "build $name" 180 bash -c 'cmake -S "$1" -B "$2" -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$3" "${@:5}" &&
    cmake --build "$2" -j "$4" && cmake --install "$2"' _ "$source" "$build/$name" "$prefix" "$jobs" "$@" ||
    stop "$name does not build"
}

command -v nvcc >/dev/null || export PATH=$PATH:/usr/local/cuda/bin
command -v nvcc >/dev/null || stop "nvcc is not on PATH"
torch_dir=${TORCH_DIR:-$(python3 -c 'import os, torch; print(os.path.join(os.path.dirname(torch.__file__), "share/cmake/Torch"))')}
[ -d "$torch_dir" ] || stop "no torch in python3, and TORCH_DIR is not set"

step "machine" 60 bash -c 'nvidia-smi -L; nvcc --version | tail -2; cmake --version | head -1; c++ --version | head -1
  python3 -c "import torch; print(\"torch\", torch.__version__, \"CUDA\", torch.version.cuda)"'

[ -z "${GTEST_SOURCE:-}" ] || install_source googletest "$GTEST_SOURCE"
if [ -n "${NLOHMANN_INCLUDE:-}" ]; then
  mkdir -p "$prefix/include" "$prefix/share/cmake/nlohmann_json"
  cp -r "$NLOHMANN_INCLUDE/nlohmann" "$prefix/include/"
  cat >"$prefix/share/cmake/nlohmann_json/nlohmann_jsonConfig.cmake" <<TEXT
add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
target_include_directories(nlohmann_json::nlohmann_json INTERFACE "$prefix/include")
TEXT
  printf 'set(PACKAGE_VERSION 3.11.2)\nset(PACKAGE_VERSION_COMPATIBLE TRUE)\n' \
    >"$prefix/share/cmake/nlohmann_json/nlohmann_jsonConfigVersion.cmake"
fi
[ -z "${BENCHMARK_SOURCE:-}" ] || install_source benchmark "$BENCHMARK_SOURCE" \
  -DBENCHMARK_ENABLE_TESTING=OFF -DBENCHMARK_ENABLE_GTEST_TESTS=OFF
benchmarks=OFF
if compgen -G "$prefix/lib*/cmake/benchmark" >/dev/null || [ -d /usr/lib/x86_64-linux-gnu/cmake/benchmark ]; then
  benchmarks=ON
fi

step "configure" 180 cmake -S . -B "$build/vmr" -DCMAKE_BUILD_TYPE=Release -DVMR_ALL_OFF=ON -DVMR_WITH_CUDA=ON \
  -DVMR_BUILD_APPS=OFF -DVMR_BUILD_EXAMPLES=OFF -DVMR_BUILD_BENCHMARKS=$benchmarks \
  -DCMAKE_PREFIX_PATH="$prefix" -DTorch_DIR="$torch_dir" || stop "configuring failed"
targets=(audio_test video_test)
[ $benchmarks = OFF ] || targets+=(bench_log_mel bench_flow_cuda)
step "build" 300 cmake --build "$build/vmr" -j "$jobs" --target "${targets[@]}" || stop "the build failed"

step "tests" 200 ctest --test-dir "$build/vmr" -L cuda --output-on-failure
for area in audio video; do
  program=$build/vmr/tests/$area/${area}_test
  # A test that finds no device is skipped, which ctest counts as passed.
  step "$area tests ran on the device" 60 bash -c 'said=$("$1" --gtest_filter="Cuda/*") && [[ $said == *"[       OK ]"* && $said != *SKIPPED* ]]' \
    _ "$program"
  for tool in memcheck racecheck; do
    # Without LibTorch's cache each tensor has bounds of its own. The test of streams needs a long
    # queue, which takes minutes under these tools.
    step "compute-sanitizer $tool, $area" 90 env PYTORCH_NO_CUDA_MEMORY_CACHING=1 compute-sanitizer --tool "$tool" --error-exitcode 9 \
      "$program" --gtest_filter="Cuda/*-*KeepsTheOrder*"
  done
done
if [ $benchmarks = ON ]; then
  step "bench_log_mel" 90 "$build/vmr/benchmarks/bench_log_mel" --benchmark_out="$out/gpu_log_mel.json" --benchmark_out_format=json
  step "bench_flow_cuda" 90 "$build/vmr/benchmarks/bench_flow_cuda" \
    --benchmark_out="$out/gpu_flow_cuda.json" --benchmark_out_format=json
  step "bench_log_mel, eager torch" 90 bash -c 'python3 benchmarks/peers/bench_log_mel.py >"$1"' _ "$out/gpu_log_mel_peer.json"
fi
say "all of it is in $log"
exit $failed
