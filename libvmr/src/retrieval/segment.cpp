#include "retrieval/segment.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <numeric>

#include "vmr/core/error.h"

namespace vmr::retrieval {
namespace {

constexpr char kMagic[8] = {'v', 'm', 'r', 's', 'e', 'g', 0, 1};  // the last byte: version
constexpr uint64_t kVectorsAt = 4096;

struct Header {
  char magic[8];
  uint64_t rows, vectors, dim;
  uint64_t id_bytes, metadata_bytes;
};

// Where the sections begin; all but the texts are multiples of 8 bytes.
struct Layout {
  uint64_t id_ends, metadata_ends, order, ids, metadata, end;

  explicit Layout(const Header& h) {
    id_ends = kVectorsAt + round_up(h.rows * h.vectors * h.dim * sizeof(float));
    metadata_ends = id_ends + h.rows * sizeof(uint64_t);
    order = metadata_ends + h.rows * sizeof(uint64_t);
    ids = order + round_up(h.rows * sizeof(uint32_t));
    metadata = ids + h.id_bytes;
    end = metadata + h.metadata_bytes;
  }
  static uint64_t round_up(uint64_t bytes) { return (bytes + 7) / 8 * 8; }
};

// Buffered writes with the system's reason on failure; the file is removed unless finished.
class FileWriter {
 public:
  explicit FileWriter(const std::filesystem::path& path) : path_(path) {
    ::unlink(path.c_str());  // a left-over of a crash; nobody refers to it
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file_ < 0) fail("create");
    buffer_.reserve(kBuffer);
  }
  ~FileWriter() {
    if (file_ < 0) return;
    ::close(file_);
    ::unlink(path_.c_str());
  }

  void write(const void* data, uint64_t size) {
    const char* from = static_cast<const char*>(data);
    written_ += size;
    if (buffer_.size() + size > kBuffer) flush();
    if (size > kBuffer) {
      write_through(from, size);
    } else {
      buffer_.insert(buffer_.end(), from, from + size);
    }
  }
  void pad_to(uint64_t position) {
    const std::vector<char> zeros(position - written_);
    write(zeros.data(), zeros.size());
  }
  void finish() {
    flush();
    if (::fsync(file_) != 0) fail("sync");
    const int file = std::exchange(file_, -1);
    if (::close(file) != 0) fail("close");
  }

 private:
  static constexpr size_t kBuffer = 1 << 20;

  [[noreturn]] void fail(const char* what) const {
    throw StoreError(detail::concat("catalogue: cannot ", what, " ", path_.string(), ": ",
                                    std::strerror(errno),
                                    "; nothing was changed, make room and try again"));
  }
  void flush() {
    write_through(buffer_.data(), buffer_.size());
    buffer_.clear();
  }
  void write_through(const char* from, uint64_t size) {
    while (size > 0) {
      const ssize_t count = ::write(file_, from, size);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("write");
      from += count;
      size -= static_cast<uint64_t>(count);
    }
  }

  const std::filesystem::path path_;
  int file_ = -1;
  uint64_t written_ = 0;
  std::vector<char> buffer_;
};

template <typename Text>
std::vector<uint64_t> ends_of(std::span<const SegmentRow> rows, Text text) {
  std::vector<uint64_t> ends;
  ends.reserve(rows.size());
  uint64_t end = 0;
  for (const SegmentRow& row : rows) ends.push_back(end += text(row).size());
  return ends;
}

}  // namespace

void Segment::write(const std::filesystem::path& path, const Space& space,
                    std::span<const SegmentRow> rows) {
  VMR_CHECK(rows.size() < std::numeric_limits<uint32_t>::max(),
            "catalogue: more tracks than a catalogue can hold");
  const auto id_ends = ends_of(rows, [](const SegmentRow& row) { return row.id; });
  const auto metadata_ends = ends_of(rows, [](const SegmentRow& row) { return row.metadata; });
  std::vector<uint32_t> order(rows.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return rows[a].id < rows[b].id; });
  Header header{.rows = rows.size(),
                .vectors = static_cast<uint64_t>(space.vectors),
                .dim = static_cast<uint64_t>(space.dim),
                .id_bytes = id_ends.empty() ? 0 : id_ends.back(),
                .metadata_bytes = metadata_ends.empty() ? 0 : metadata_ends.back()};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  const Layout layout(header);

  FileWriter out(path);
  out.write(&header, sizeof header);
  out.pad_to(kVectorsAt);
  for (const SegmentRow& row : rows)
    out.write(row.vectors, header.vectors * header.dim * sizeof(float));
  out.pad_to(layout.id_ends);
  out.write(id_ends.data(), id_ends.size() * sizeof(uint64_t));
  out.write(metadata_ends.data(), metadata_ends.size() * sizeof(uint64_t));
  out.write(order.data(), order.size() * sizeof(uint32_t));
  out.pad_to(layout.ids);
  for (const SegmentRow& row : rows) out.write(row.id.data(), row.id.size());
  for (const SegmentRow& row : rows) out.write(row.metadata.data(), row.metadata.size());
  out.finish();
}

void Segment::fail_damaged(const std::string& what) const {
  throw StoreError(detail::concat("catalogue: ", path_.string(), " is damaged: ", what,
                                  "; restore the folder from a copy or build the index again"));
}

Segment::Segment(const std::filesystem::path& path, const Space& space)
    : path_(path), name_(path.filename().string()), file_(path) {
  Header header{};
  if (file_.size() < kVectorsAt) fail_damaged("it is too short");
  std::memcpy(&header, file_.data(), sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic - 1) != 0)
    fail_damaged("its header is wrong");
  if (header.magic[7] != kMagic[7])
    throw StoreError(detail::concat("catalogue: ", path_.string(), " has version ",
                                    static_cast<int>(header.magic[7]),
                                    ", this library reads version 1; use a newer one"));
  if (header.vectors != static_cast<uint64_t>(space.vectors) ||
      header.dim != static_cast<uint64_t>(space.dim))
    fail_damaged("its vectors have another shape than the catalogue's");
  // Bounds first: none of the products of the layout may overflow.
  const uint64_t row_bytes = header.vectors * header.dim * sizeof(float) + 20;
  if (header.rows > file_.size() / row_bytes || header.id_bytes > file_.size() ||
      header.metadata_bytes > file_.size() || Layout(header).end != file_.size())
    fail_damaged("its size does not fit its header");
  const Layout layout(header);
  const std::byte* data = file_.data();
  rows_ = static_cast<int64_t>(header.rows);
  length_ = space.vectors * space.dim;
  vectors_ = reinterpret_cast<const float*>(data + kVectorsAt);
  id_ends_ = reinterpret_cast<const uint64_t*>(data + layout.id_ends);
  metadata_ends_ = reinterpret_cast<const uint64_t*>(data + layout.metadata_ends);
  order_ = reinterpret_cast<const uint32_t*>(data + layout.order);
  ids_ = reinterpret_cast<const char*>(data + layout.ids);
  metadata_ = reinterpret_cast<const char*>(data + layout.metadata);
  const auto ascends = [&](const uint64_t* ends, uint64_t last) {
    return rows_ == 0 || (std::is_sorted(ends, ends + rows_) && ends[rows_ - 1] == last);
  };
  if (!ascends(id_ends_, header.id_bytes) || !ascends(metadata_ends_, header.metadata_bytes) ||
      std::any_of(order_, order_ + rows_, [&](uint32_t row) { return row >= header.rows; }))
    fail_damaged("its tables are wrong");
}

std::string_view Segment::text(const uint64_t* ends, const char* bytes, int64_t index) const {
  const uint64_t begin = index == 0 ? 0 : ends[index - 1];
  return {bytes + begin, ends[index] - begin};
}

SegmentRow Segment::row(int64_t index) const {
  return {vectors_ + index * length_, id(index), text(metadata_ends_, metadata_, index)};
}

nlohmann::json Segment::metadata(int64_t index) const {
  auto value = nlohmann::json::parse(text(metadata_ends_, metadata_, index), nullptr, false);
  if (!value.is_object()) fail_damaged(detail::concat("metadata of row ", index, " is no object"));
  return value;
}

std::optional<int64_t> Segment::find(std::string_view wanted) const {
  const uint32_t* found =
      std::lower_bound(order_, order_ + rows_, wanted,
                       [&](uint32_t row, std::string_view text) { return id(row) < text; });
  if (found == order_ + rows_ || id(*found) != wanted) return std::nullopt;
  return *found;
}

std::vector<std::shared_ptr<const Segment::Column>> Segment::columns(const Filter& filter) const {
  std::lock_guard lock(mutex_);
  std::map<std::string, std::shared_ptr<Column>> missing;
  for (const FilterCondition& condition : filter.conditions())
    if (!columns_.contains(condition.field) && !missing.contains(condition.field))
      missing[condition.field] = std::make_shared<Column>(
          static_cast<size_t>(rows_), nlohmann::json(nlohmann::json::value_t::discarded));
  for (int64_t i = 0; !missing.empty() && i < rows_; ++i) {
    nlohmann::json row = metadata(i);
    for (auto& [field, column] : missing)
      if (const auto value = row.find(field); value != row.end())
        (*column)[static_cast<size_t>(i)] = std::move(*value);
  }
  columns_.insert(missing.begin(), missing.end());
  std::vector<std::shared_ptr<const Column>> result;
  for (const FilterCondition& condition : filter.conditions())
    result.push_back(columns_.at(condition.field));
  return result;
}

void Segment::keep_matching(const Filter& filter, int64_t first, Bitmap& allowed) const {
  const auto fields = columns(filter);
  for (size_t c = 0; c < fields.size(); ++c) {
    const FilterCondition& condition = filter.conditions()[c];
    for (int64_t i = 0; i < rows_; ++i) {
      const nlohmann::json& value = (*fields[c])[static_cast<size_t>(i)];
      if (allowed.test(first + i) && !condition.matches(value.is_discarded() ? nullptr : &value))
        allowed.clear(first + i);
    }
  }
}

}  // namespace vmr::retrieval
