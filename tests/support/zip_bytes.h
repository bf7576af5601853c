// Zip archives byte by byte, honest ones and others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace vmr::test {

struct ZipMember {
  std::string name, data;
  int method = 0;         // 0 = stored, 8 = deflated (data as deflate has it)
  int64_t declared = -1;  // unpacked size, as the archive says; -1 = the data's
  std::string unpacked;   // what the checksum is of; "" = the data
  int flags = 0;          // 1 = encrypted
};

inline uint32_t crc32_of(const std::string& bytes) {
  uint32_t crc = 0xffffffff;
  for (const unsigned char byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xedb88320u : 0);
  }
  return ~crc;
}

inline std::string little_endian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

// One block of deflate that stores: at most 65535 bytes.
inline std::string deflate_stored(const std::string& bytes) {
  return "\x01" + little_endian(bytes.size(), 2) + little_endian(~bytes.size() & 0xffff, 2) + bytes;
}

inline std::string zip_bytes(const std::vector<ZipMember>& members) {
  std::string files, directory;
  for (const auto& m : members) {
    const uint64_t size = m.declared >= 0 ? uint64_t(m.declared) : m.data.size();
    const auto common = little_endian(20, 2) + little_endian(uint64_t(m.flags), 2) +
                        little_endian(uint64_t(m.method), 2) + little_endian(0, 4) +
                        little_endian(crc32_of(m.unpacked.empty() ? m.data : m.unpacked), 4) +
                        little_endian(m.data.size(), 4) + little_endian(size, 4) +
                        little_endian(m.name.size(), 2) + little_endian(0, 2);
    directory += "PK\x01\x02" + little_endian(20, 2) + common + little_endian(0, 2) +
                 little_endian(0, 2) + little_endian(0, 2) + little_endian(0, 4) +
                 little_endian(files.size(), 4) + m.name;
    files += "PK\x03\x04" + common + m.name + m.data;
  }
  return files + directory + "PK\x05\x06" + little_endian(0, 4) + little_endian(members.size(), 2) +
         little_endian(members.size(), 2) + little_endian(directory.size(), 4) +
         little_endian(files.size(), 4) + little_endian(0, 2);
}

}  // namespace vmr::test
