// Any bytes as a manifest: either an Error with a sentence, or items with what a manifest promises.
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>

#include "vmr/core/error.h"
#include "vmr/store/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path = "/dev/shm/vmr-manifest-fuzz-" + std::to_string(::getpid());
  static const int removed_at_exit = std::atexit([] { std::filesystem::remove(path); });
  (void)removed_at_exit;
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  try {
    for (const auto& item : vmr::store::read_manifest(path).items) {
      if (item.id.empty() || (item.kind != "film" && item.kind != "music")) std::abort();
    }
  } catch (const vmr::Error&) {
  }
  return 0;
}
