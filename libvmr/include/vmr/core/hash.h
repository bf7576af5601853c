// Content hashes for provenance: SHA-256 cut to 128 bits, as 32 hexadecimal digits. Not for
// security; chosen because it is the same everywhere and needs no library. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace vmr {

// Incremental SHA-256 (FIPS 180-4).
class Sha256 {
 public:
  Sha256();
  void update(std::span<const std::byte> bytes);
  void update(std::string_view text);
  // The full digest as 64 hexadecimal digits. Call once, last.
  std::string hex();

 private:
  void block(const uint8_t* data);
  uint32_t state_[8];
  uint64_t length_ = 0;
  uint8_t buffer_[64];
  size_t buffered_ = 0;
};

// hash_text("abc") == "ba7816bf8f01cfea414140de5dae2223".
std::string hash_text(std::string_view text);
// Throws: StoreError where the file cannot be read.
std::string hash_file(const std::filesystem::path& path);

}  // namespace vmr
