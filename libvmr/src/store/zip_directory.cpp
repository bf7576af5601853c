#include "store/zip_directory.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr uint64_t kMaxEntries = 2'000'000;
constexpr uint64_t kMaxComment = 0xffff;
constexpr uint64_t kIn64 = 0xffffffff;  // a 32-bit field whose value is in the zip64 part
constexpr std::string_view kLocalHeader = "PK\x03\x04", kEntry = "PK\x01\x02", kEnd = "PK\x05\x06",
                           kEnd64 = "PK\x06\x06", kLocator64 = "PK\x06\x07";
constexpr uint64_t kLocalHeaderBytes = 30, kEntryBytes = 46, kEndBytes = 22, kEnd64Bytes = 56,
                   kLocator64Bytes = 20;

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  ZipDirectory read() {
    find_directory();
    ZipDirectory directory;
    uint64_t at = directory_at_;
    for (uint64_t i = 0; i < entry_count_; ++i) at = read_entry(at, directory);
    check_overlaps(directory);
    return directory;
  }

 private:
  template <typename... Parts>
  [[noreturn]] static void fail(uint64_t at, const Parts&... parts) {
    throw StoreError(detail::concat("zip directory, at byte ", at, ": ", parts...));
  }

  std::string_view part(uint64_t at, uint64_t count) const {
    if (at > file_.size() || count > file_.size() - at) {
      fail(at, "expected ", count, " bytes, the file has ", file_.size(), ": cut short or damaged");
    }
    return file_.substr(at, count);
  }
  uint64_t number(uint64_t at, size_t byte_count) const {
    const auto bytes = part(at, byte_count);
    uint64_t value = 0;
    for (size_t i = byte_count; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
    return value;
  }
  void expect(uint64_t at, std::string_view signature, const char* what) const {
    if (part(at, signature.size()) != signature) fail(at, "expected ", what, ", got other bytes");
  }

  // The end record is the last thing in the file but for a comment.
  void find_directory() {
    const uint64_t reach = std::min<uint64_t>(file_.size(), kEndBytes + kMaxComment);
    const auto tail = file_.substr(file_.size() - reach);
    const auto found = tail.rfind(kEnd);
    if (found == tail.npos || tail.size() - found < kEndBytes) {
      fail(file_.size(), "expected the end of the directory, got none: the file is cut short");
    }
    const uint64_t end_at = file_.size() - reach + found;
    entry_count_ = number(end_at + 10, 2);
    directory_at_ = number(end_at + 16, 4);
    directory_end_ = end_at;
    if (end_at >= kLocator64Bytes && part(end_at - kLocator64Bytes, 4) == kLocator64) {
      const uint64_t end64_at = number(end_at - kLocator64Bytes + 8, 8);
      expect(end64_at, kEnd64, "the end of a zip64 directory");
      part(end64_at, kEnd64Bytes);
      entry_count_ = number(end64_at + 32, 8);
      directory_at_ = number(end64_at + 48, 8);
      directory_end_ = end64_at;
    }
    if (entry_count_ > kMaxEntries || directory_at_ > directory_end_ ||
        entry_count_ > (directory_end_ - directory_at_) / kEntryBytes) {
      fail(end_at, "expected ", entry_count_, " entries from byte ", directory_at_, " to ",
           directory_end_, ": there is no room for them");
    }
  }

  // Returns where the next entry begins.
  uint64_t read_entry(uint64_t at, ZipDirectory& directory) const {
    expect(at, kEntry, "an entry");
    const uint64_t flags = number(at + 8, 2), method = number(at + 10, 2);
    uint64_t stored = number(at + 20, 4), size = number(at + 24, 4), begin = number(at + 42, 4);
    const uint64_t name_bytes = number(at + 28, 2), extra_bytes = number(at + 30, 2),
                   comment_bytes = number(at + 32, 2);
    const std::string name(part(at + kEntryBytes, name_bytes));
    widen(at + kEntryBytes + name_bytes, extra_bytes, {&size, &stored, &begin});
    if ((flags & 1) != 0) fail(at, name, " is encrypted");
    if (method != 0) fail(at, name, " is compressed; torch.save stores without compression");
    if (stored != size) fail(at, name, " has ", stored, " bytes and says ", size);
    const auto crc32 = static_cast<uint32_t>(number(at + 16, 4));
    if (!directory.emplace(name, ZipEntry{entry_bytes(begin, size), crc32}).second) {
      fail(at, "the name ", name, " occurs twice");
    }
    return at + kEntryBytes + name_bytes + extra_bytes + comment_bytes;
  }

  std::string_view entry_bytes(uint64_t begin, uint64_t size) const {
    expect(begin, kLocalHeader, "the header of an entry");
    const uint64_t values =
        begin + kLocalHeaderBytes + number(begin + 26, 2) + number(begin + 28, 2);
    return part(values, size);
  }

  // Fields that did not fit into 32 bits stand in this order in the extra field number 1.
  void widen(uint64_t at, uint64_t byte_count, const std::vector<uint64_t*>& fields) const {
    const uint64_t end = at + byte_count;
    part(at, byte_count);
    while (end - at >= 4) {
      const uint64_t kind = number(at, 2), length = number(at + 2, 2);
      if (length > end - at - 4) fail(at, "an extra field of ", length, " bytes is cut short");
      uint64_t value_at = at + 4;
      for (uint64_t* field : fields) {
        if (kind != 1 || *field != kIn64) continue;
        if (value_at + 8 > at + 4 + length) fail(at, "a zip64 field is missing");
        *field = number(value_at, 8);
        value_at += 8;
      }
      at += 4 + length;
    }
  }

  static void check_overlaps(const ZipDirectory& directory) {
    std::vector<std::string_view> parts;
    for (const auto& [name, entry] : directory) {
      if (!entry.bytes.empty()) parts.push_back(entry.bytes);
    }
    const auto by_place = [](auto a, auto b) { return std::less<>()(a.data(), b.data()); };
    std::sort(parts.begin(), parts.end(), by_place);
    for (size_t i = 1; i < parts.size(); ++i) {
      if (parts[i].data() < parts[i - 1].data() + parts[i - 1].size()) {
        throw StoreError("zip directory: two entries share bytes of the file");
      }
    }
  }

  std::string_view file_;
  uint64_t entry_count_ = 0, directory_at_ = 0, directory_end_ = 0;
};

}  // namespace

bool is_zip(std::string_view file) { return file.starts_with(kLocalHeader); }

ZipDirectory read_zip_directory(std::string_view file) { return Reader(file).read(); }

}  // namespace vmr::store
