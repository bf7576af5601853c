#!/usr/bin/env bash
# Builds and runs the consumer: test_consumer.sh installed BUILD_FOLDER TORCH_FOLDER
#                               test_consumer.sh subdirectory SOURCE_FOLDER TORCH_FOLDER
set -euo pipefail
way=$1 folder=$2 torch=$3
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case $way in
  installed)
    cmake --install "$folder" --prefix "$work/first" >/dev/null
    mv "$work/first" "$work/moved" # the package must not know where it was
    cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release \
      -DCMAKE_PREFIX_PATH="$work/moved;$torch" >/dev/null
    ;;
  subdirectory)
    cmake -S "$here" -B "$work/build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DVMR_SOURCE="$folder" \
      -DCMAKE_PREFIX_PATH="$torch" >/dev/null
    ;;
esac
cmake --build "$work/build" >/dev/null
"$work/build/consumer"
if [ "$way" = installed ]; then
  # Without LibTorch the package says what to pass, and nothing of our working copy.
  if ! cmake -S "$here" -B "$work/no_torch" -DCMAKE_PREFIX_PATH="$work/moved" >"$work/log" 2>&1; then
    grep -q 'DTorch_DIR' "$work/log"
    ! grep -q 'dev setup' "$work/log" || exit 1
  fi
  pkg_config_path=$(dirname "$(find "$work/moved" -name vmr.pc)")
  # shellcheck disable=SC2046  # flags are words
  c++ "$here/main.cpp" -o "$work/by_pkg_config" \
    $(PKG_CONFIG_PATH="$pkg_config_path" pkg-config --cflags --libs vmr)
  "$work/by_pkg_config"
fi
