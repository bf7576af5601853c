#include "store/page_walk.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr size_t kPageHeader = 16, kNodeHeader = 8, kTreeBytes = 48;
constexpr unsigned kBranch = 1, kLeaf = 2, kOverflow = 4;  // page flags
constexpr unsigned kRunning = 0x10 | 0x4000 | 0x8000;      // of pages in memory: no meaning here
constexpr unsigned kFar = 1, kTree = 2;                    // node flags: value in pages of its own
constexpr uint64_t kNoPage = ~uint64_t{0};
constexpr int kMaxDepth = 32, kMaxKeyBytes = 511;

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

class Walk {
 public:
  Walk(const std::filesystem::path& file, uint64_t transaction)
      : file_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) throw StoreError("cannot open " + file.string());
    try {
      start(transaction);
    } catch (...) {
      ::close(file_);
      throw;
    }
  }
  ~Walk() { ::close(file_); }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  void run() {
    tree(meta_.data() + 24, true);  // free pages: LMDB may leave a branch of one child here
    least_children_ = 2;
    tree(meta_.data() + 24 + kTreeBytes, true);
  }

 private:
  void start(uint64_t transaction) {
    char first[kPageHeader + 136];
    read(0, first, sizeof first);
    page_bytes_ = load<uint32_t>(first + kPageHeader + 24);
    if (page_bytes_ < 512 || page_bytes_ > 65536) throw StoreError("page size is impossible");
    for (uint64_t number : {0, 1}) {
      char page[sizeof first];
      read(number * page_bytes_, page, sizeof page);
      if (load<uint64_t>(page + kPageHeader + 128) != transaction) continue;
      meta_.assign(page + kPageHeader, sizeof page - kPageHeader);
    }
    if (meta_.empty()) throw StoreError("no header page has the current transaction");
    seen_.resize(load<uint64_t>(meta_.data() + 120) + 1);
  }

  void read(uint64_t offset, char* to, size_t bytes) const {
    if (::pread(file_, to, bytes, static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes)) {
      throw StoreError("the file is cut short");
    }
  }

  [[noreturn]] static void fail(uint64_t page, const char* what) {
    throw StoreError(detail::concat("page ", page, " of the tree is damaged: ", what));
  }

  // Takes `count` pages from `number` on, each once in a whole walk.
  void claim(uint64_t number, uint64_t count, uint64_t parent) {
    if (number < 2 || number >= seen_.size() || count > seen_.size() - number) {
      fail(parent, "it points outside of the file");
    }
    for (uint64_t page = number; page < number + count; ++page) {
      if (seen_[page]) fail(parent, "it points to a page of another place");
      seen_[page] = true;
    }
  }

  // `tree`: flags, depth and root of a tree as LMDB keeps them.
  void tree(const char* tree, bool top) {
    const auto depth = load<uint16_t>(tree + 6);
    const auto root = load<uint64_t>(tree + 40);
    if ((load<uint16_t>(tree + 4) & (top ? ~8u : ~0u)) != 0)
      throw StoreError("unknown kind of tree");
    if (root == kNoPage) return;
    if (depth < 1 || depth > kMaxDepth) throw StoreError("a tree is too deep");
    page(root, depth, 0);
  }

  void page(uint64_t number, int depth, uint64_t parent) {
    claim(number, 1, parent);
    std::vector<char> bytes(page_bytes_);
    read(number * page_bytes_, bytes.data(), page_bytes_);
    const char* const data = bytes.data();
    const unsigned flags = load<uint16_t>(data + 10) & ~kRunning;
    const size_t lower = load<uint16_t>(data + 12), upper = load<uint16_t>(data + 14);
    if (load<uint64_t>(data) != number) fail(number, "it has another number");
    if (flags != (depth == 1 ? kLeaf : kBranch)) fail(number, "it is of another kind");
    if (lower < kPageHeader || lower % 2 != 0 || lower > upper || upper > page_bytes_) {
      fail(number, "its limits are impossible");
    }
    const size_t nodes = (lower - kPageHeader) / 2;
    if (nodes < (depth == 1 ? 1 : least_children_)) fail(number, "it is empty");
    for (size_t i = 0; i < nodes; ++i) {
      const size_t at = load<uint16_t>(data + kPageHeader + 2 * i);
      if (at < upper || at % 2 != 0 || at + kNodeHeader > page_bytes_) {
        fail(number, "a node lies outside of it");
      }
      node({data + at, page_bytes_ - at}, number, depth, i == 0);
    }
  }

  // `bytes`: from a node to the end of its page.
  void node(std::string_view bytes, uint64_t number, int depth, bool first) {
    const uint64_t low = load<uint16_t>(bytes.data()) | uint64_t{load<uint16_t>(bytes.data() + 2)}
                                                            << 16;
    const unsigned flags = load<uint16_t>(bytes.data() + 4);
    const size_t key_bytes = load<uint16_t>(bytes.data() + 6);
    if (key_bytes > kMaxKeyBytes || kNodeHeader + key_bytes > bytes.size() ||
        (key_bytes == 0 && (depth == 1 || !first))) {
      fail(number, "a key lies outside of it");
    }
    if (depth > 1) {
      page(low | uint64_t{flags} << 32, depth - 1, number);
      return;
    }
    const size_t inside = (flags & kFar) != 0 ? sizeof(uint64_t) : low;
    if ((flags & ~(kFar | kTree)) != 0 || inside > bytes.size() - kNodeHeader - key_bytes) {
      fail(number, "a value lies outside of it");
    }
    const char* const value = bytes.data() + kNodeHeader + key_bytes;
    if ((flags & kTree) != 0) {
      if (low != kTreeBytes || (flags & kFar) != 0) fail(number, "a tree has another size");
      tree(value, false);
    } else if ((flags & kFar) != 0) {
      const auto far = load<uint64_t>(value);
      const uint64_t pages = (kPageHeader + low + page_bytes_ - 1) / page_bytes_;
      claim(far, pages, number);
      char header[kPageHeader];
      read(far * page_bytes_, header, sizeof header);
      if (load<uint64_t>(header) != far || load<uint32_t>(header + 12) != pages ||
          (load<uint16_t>(header + 10) & ~kRunning) != kOverflow) {
        fail(far, "it is of another kind");
      }
    }
  }

  const int file_;
  size_t page_bytes_ = 0, least_children_ = 1;
  std::string meta_;
  std::vector<bool> seen_;
};

}  // namespace

void walk_pages(const std::filesystem::path& data_file, uint64_t transaction) {
  Walk(data_file, transaction).run();
}

}  // namespace vmr::store
