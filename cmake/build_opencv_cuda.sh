#!/usr/bin/env bash
# Builds an OpenCV with its CUDA flow (module cudaoptflow), which no Debian package or Python wheel
# holds, and installs it into PREFIX. libvmr then takes it with -DCMAKE_PREFIX_PATH=PREFIX
# -DVMR_WITH_OPENCV_CUDA=ON (docs/opencv_cuda.md).
#
#   cmake/build_opencv_cuda.sh PREFIX [--configure-only]
#
# Needs: nvcc on PATH, cmake, ninja, g++, python3 with venv and pip; 3 GB of disk; the Python package
# index. Expect an hour or more on two cores. Running it again goes on where it stopped. In the environment:
#   VMR_CUDA_ARCH   compute capability to build for (9.0 = H100; 8.0 = A100, 8.6, 8.9 ...)
#   VMR_JOBS        compile jobs (all cores)
#
# Was run, with CUDA 13.0 on Debian 12: the fetching of the sources (that command by itself), the rest
# up to the end of --configure-only (two minutes; it chooses the 15 modules that cudaoptflow needs),
# and libvmr's adapter was compiled against these headers. Was not run: building and installing.
# Nothing was linked with it or measured on a device.
set -euo pipefail

# Of opencv-contrib-python. 4.13 has no source package; 4.12 and earlier do not know CUDA 13.
readonly OPENCV_VERSION=4.14.0.94
# OpenCV's CUDA modules need NPP, which many toolkits leave out. Of the toolkit's major version.
readonly NPP_VERSION=13.0.3.3
readonly ARCH=${VMR_CUDA_ARCH:-9.0}

say() { printf '==> %s\n' "$*" >&2; }
fail() { printf 'build_opencv_cuda: %s\n' "$*" >&2; exit 2; }

if [ $# -lt 1 ] || [ "${1#-}" != "$1" ]; then
  fail "usage: cmake/build_opencv_cuda.sh PREFIX [--configure-only]"
fi
mkdir -p "$1"
prefix=$(cd "$1" && pwd)
configure_only=${2:-}
[ -z "$configure_only" ] || [ "$configure_only" = --configure-only ] || fail "unknown option $configure_only"
for tool in nvcc cmake ninja g++ python3; do
  command -v "$tool" >/dev/null || fail "$tool is not on PATH"
done
work=$prefix/build
mkdir -p "$work"

python=$work/venv/bin/python
if [ ! -x "$python" ]; then
  python3 -m venv "$work/venv"
fi

source_folder=$work/opencv_contrib_python-$OPENCV_VERSION
if [ ! -e "$source_folder/opencv_contrib/modules/cudaoptflow" ]; then
  say "fetching the sources of OpenCV $OPENCV_VERSION (150 MB)"
  "$python" -m pip download -q --no-deps --no-binary opencv-contrib-python -d "$work" \
    "opencv-contrib-python==$OPENCV_VERSION"
  tar -xzf "$source_folder.tar.gz" -C "$work"
fi

# NPP: the toolkit's where it has one, else that of NVIDIA's wheel, with the names linkers look for.
options=()
toolkit=$(dirname "$(dirname "$(readlink -f "$(command -v nvcc)")")")
if ! compgen -G "$toolkit/lib*/libnppial.so" >/dev/null &&
  ! compgen -G "$toolkit/targets/*/lib/libnppial.so" >/dev/null; then
  if ! compgen -G "$work/npp/nvidia/*/lib/libnppial.so" >/dev/null; then
    say "fetching NPP $NPP_VERSION, which the toolkit in $toolkit lacks"
    "$python" -m pip install -q --no-deps --target "$work/npp" "nvidia-npp==$NPP_VERSION"
    for library in "$work"/npp/nvidia/*/lib/libnpp*.so.*; do
      ln -sf "$(basename "$library")" "${library%%.so.*}.so"
    done
  fi
  npp=$(dirname "$(dirname "$(compgen -G "$work/npp/nvidia/*/lib/libnppial.so")")")
  export CPATH=$npp/include${CPATH:+:$CPATH}
  options+=("-DCMAKE_LIBRARY_PATH=$npp/lib" "-DCMAKE_INSTALL_RPATH=$prefix/lib;$npp/lib")
else
  options+=("-DCMAKE_INSTALL_RPATH=$prefix/lib")
fi

# Only what cudaoptflow needs and what libvmr takes of OpenCV. cudev must be named.
say "configuring for compute capability $ARCH"
cmake -G Ninja -S "$source_folder/opencv" -B "$work/opencv" \
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$prefix" \
  -DOPENCV_EXTRA_MODULES_PATH="$source_folder/opencv_contrib/modules" \
  -DBUILD_LIST=core,imgproc,imgcodecs,video,cudev,cudaarithm,cudawarping,cudaimgproc,cudafilters,cudaoptflow \
  -DWITH_CUDA=ON -DENABLE_CUDA_FIRST_CLASS_LANGUAGE=ON -DCUDA_ARCH_BIN="$ARCH" -DCUDA_ARCH_PTX= \
  -DWITH_IPP=OFF -DWITH_ADE=OFF -DWITH_FFMPEG=OFF -DWITH_CUDNN=OFF -DWITH_NVCUVID=OFF -DWITH_NVCUVENC=OFF \
  -DBUILD_TESTS=OFF -DBUILD_PERF_TESTS=OFF -DBUILD_EXAMPLES=OFF -DBUILD_opencv_python3=OFF \
  "${options[@]}" >"$work/configure.log" 2>&1 || { tail -40 "$work/configure.log" >&2; fail "configuring failed; all of it is in $work/configure.log"; }
grep -E 'To be built:|NVIDIA CUDA:' "$work/configure.log" >&2
grep -q 'To be built:.*cudaoptflow' "$work/configure.log" ||
  fail "cudaoptflow is not among the modules; $work/configure.log says why"
[ -z "$configure_only" ] || exit 0

say "building (an hour or more on two cores)"
cmake --build "$work/opencv" -j "${VMR_JOBS:-$(nproc)}" >"$work/build.log" 2>&1 ||
  { grep -E 'error|FAILED' -A5 "$work/build.log" | head -40 >&2; fail "building failed; all of it is in $work/build.log"; }
cmake --install "$work/opencv" >"$work/install.log"
say "installed into $prefix; now configure libvmr with"
say "  cmake --preset release -DCMAKE_PREFIX_PATH=$prefix -DVMR_WITH_OPENCV_CUDA=ON"
