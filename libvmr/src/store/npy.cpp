#include "vmr/store/npy.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <vector>

#include "core/file_io.h"
#include "store/byte_count.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6);
constexpr size_t kMaxHeaderBytes = size_t{1} << 20;
constexpr size_t kMaxAxes = 64;  // NumPy's own limit
constexpr size_t kAlignment = 64;
constexpr size_t kGrowthDigits = 21;  // room that NumPy leaves for a longer first axis

struct Kind {
  at::ScalarType dtype;
  const char* code;
};
constexpr Kind kKinds[] = {
    {at::ScalarType::Half, "f2"}, {at::ScalarType::Float, "f4"}, {at::ScalarType::Double, "f8"},
    {at::ScalarType::Char, "i1"}, {at::ScalarType::Short, "i2"}, {at::ScalarType::Int, "i4"},
    {at::ScalarType::Long, "i8"}, {at::ScalarType::Byte, "u1"},  {at::ScalarType::Bool, "b1"}};

struct Header {
  std::string descr;
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// Reads the dictionary literal of a header: the three keys in any order, nothing else.
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : text_(text) {}

  Header read() {
    std::optional<std::string> descr;
    std::optional<bool> order;
    std::optional<std::vector<int64_t>> shape;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !descr) {
        descr = quoted();
      } else if (key == "fortran_order" && !order) {
        order = boolean();
      } else if (key == "shape" && !shape) {
        shape = numbers();
      } else {
        fail("unexpected or repeated key \"" + key + "\"");
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (!text_.empty()) fail("text behind the dictionary");
    if (!descr || !order || !shape) fail("descr, fortran_order or shape is missing");
    return {*descr, *order, *shape};
  }

 private:
  [[noreturn]] static void fail(const std::string& what) {
    throw StoreError("header is damaged: " + what);
  }
  void skip_blanks() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\n"), text_.size()));
  }
  bool accept(char letter) {
    skip_blanks();
    if (text_.empty() || text_[0] != letter) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char letter) {
    if (!accept(letter)) fail(std::string("expected ") + letter);
  }
  std::string quoted() {
    skip_blanks();
    const char quote = text_.empty() ? '\0' : text_[0];
    const auto end = quote == '\'' || quote == '"' ? text_.find(quote, 1) : text_.npos;
    if (end == text_.npos)
      fail("expected a text in quotes (records of several types are not read)");
    std::string inside(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return inside;
  }
  bool boolean() {
    skip_blanks();
    for (const auto& [word, value] :
         {std::pair(std::string_view("True"), true), std::pair(std::string_view("False"), false)}) {
      if (!text_.starts_with(word)) continue;
      text_.remove_prefix(word.size());
      return value;
    }
    fail("expected True or False");
  }
  std::vector<int64_t> numbers() {
    std::vector<int64_t> list;
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      int64_t number = 0;
      size_t digits = 0;
      for (; digits < text_.size() && text_[digits] >= '0' && text_[digits] <= '9'; ++digits) {
        if (digits == 18) fail("an axis is too long");
        number = number * 10 + (text_[digits] - '0');
      }
      if (digits == 0 || list.size() == kMaxAxes) fail("the shape is no list of axes");
      text_.remove_prefix(digits);
      accept('L');  // written by Python 2
      list.push_back(number);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return list;
  }

  std::string_view text_;
};

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

void swap_bytes(char* values, size_t bytes, size_t element_bytes) {
  for (char* at = values; at != values + bytes; at += element_bytes) {
    std::reverse(at, at + element_bytes);
  }
}

at::Tensor parse(std::string_view file) {
  if (!file.starts_with(kMagic) || file.size() < 10) throw StoreError("not an .npy file");
  const int major = static_cast<uint8_t>(file[6]);
  if (major < 1 || major > 3) {
    throw StoreError(detail::concat("unknown .npy version ", major, " (1 to 3 are read)"));
  }
  const size_t prefix = major == 1 ? 10 : 12;
  if (file.size() < prefix) throw StoreError("header is cut short");
  const size_t header_bytes = little_endian(file.substr(8, prefix - 8));
  if (header_bytes > kMaxHeaderBytes || header_bytes > file.size() - prefix) {
    throw StoreError(detail::concat("header of ", header_bytes, " bytes is cut short or too long"));
  }
  const Header header = HeaderReader(file.substr(prefix, header_bytes)).read();
  const auto values = file.substr(prefix + header_bytes);

  const char order = header.descr.empty() ? '\0' : header.descr[0];
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& candidate) {
    return std::string_view(header.descr).substr(order == '\0' ? 0 : 1) == candidate.code;
  });
  if (std::string_view("<>=|").find(order) == std::string_view::npos || kind == std::end(kKinds)) {
    throw StoreError("dtype " + header.descr + " is not read (f2 f4 f8 i1 i2 i4 i8 u1 b1 are)");
  }
  const size_t element_bytes = c10::elementSize(kind->dtype);
  const auto expected = byte_count(header.shape, element_bytes);
  if (expected != values.size()) {
    throw StoreError(detail::concat("shape needs ",
                                    expected ? std::to_string(*expected) : "too many",
                                    " bytes of values, file has ", values.size()));
  }
  if (kind->dtype == at::ScalarType::Bool &&
      std::any_of(values.begin(), values.end(), [](char value) { return (value & ~1) != 0; })) {
    throw StoreError("a bool is neither 0 nor 1");
  }
  auto shape = header.shape;
  if (header.fortran_order) std::reverse(shape.begin(), shape.end());
  auto tensor = at::empty(shape, kind->dtype);
  if (!values.empty()) std::memcpy(tensor.mutable_data_ptr(), values.data(), values.size());
  if (order == '>' && element_bytes > 1 && !values.empty()) {
    swap_bytes(static_cast<char*>(tensor.mutable_data_ptr()), values.size(), element_bytes);
  }
  if (!header.fortran_order || shape.size() < 2) return tensor;
  std::vector<int64_t> axes(shape.size());
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(axes.size() - 1 - i);
  return tensor.permute(axes).contiguous();
}

}  // namespace

at::Tensor read_npy(const std::filesystem::path& path) {
  static_assert(std::endian::native == std::endian::little, "values are read as they lie");
  const std::string file = detail::read_file(path);
  try {
    return parse(file);
  } catch (const StoreError& error) {
    throw StoreError(detail::concat("read_npy: ", path.string(), ": ", error.what()));
  }
}

std::string npy_bytes(const at::Tensor& tensor) {
  VMR_CHECK(tensor.defined(), "write_npy: expected a tensor, got nothing");
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& candidate) {
    return candidate.dtype == tensor.scalar_type();
  });
  VMR_CHECK(kind != std::end(kKinds), "write_npy: NumPy has no dtype for ",
            c10::toString(tensor.scalar_type()), "; convert to float32 first");
  const auto values = tensor.detach().cpu().contiguous();
  std::string header = std::string("{'descr': '") + (values.element_size() == 1 ? '|' : '<') +
                       kind->code + "', 'fortran_order': False, 'shape': (";
  for (int64_t axis = 0; axis < values.dim(); ++axis) {
    header += (axis == 0 ? "" : ", ") + std::to_string(values.size(axis));
  }
  header += values.dim() == 1 ? ",), }" : "), }";
  if (values.dim() > 0) header.append(kGrowthDigits - std::to_string(values.size(0)).size(), ' ');
  const size_t used = kMagic.size() + 4 + header.size() + 1;
  header.append((kAlignment - used % kAlignment) % kAlignment, ' ');
  header += '\n';

  std::string file(kMagic);
  file += '\x01';
  file += '\0';
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  if (values.nbytes() > 0) {
    file.append(static_cast<const char*>(values.const_data_ptr()), values.nbytes());
  }
  return file;
}

void write_npy(const std::filesystem::path& path, const at::Tensor& tensor) {
  detail::write_file_atomically(path, npy_bytes(tensor));
}

}  // namespace vmr::store
