#include "vmr/train/event_log.h"

#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/file_io.h"
#include "vmr/core/error.h"

namespace vmr::train {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they lie");

constexpr std::array<uint32_t, 256> crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) ? 0x82f63b78u : 0u);
    table[i] = value;
  }
  return table;
}

uint32_t masked_crc(std::string_view bytes) { return std::rotr(crc32c(bytes), 15) + 0xa282ead8u; }

template <typename T>
std::string raw(T value) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &value, sizeof(T));
  return bytes;
}

// Protocol buffer pieces; a key is field number << 3 | wire type.
std::string varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}
std::string field_double(int number, double value) { return varint(number << 3 | 1) + raw(value); }
std::string field_float(int number, float value) { return varint(number << 3 | 5) + raw(value); }
std::string field_varint(int number, int64_t value) {
  return varint(number << 3) + varint(static_cast<uint64_t>(value));
}
std::string field_bytes(int number, const std::string& value) {
  return varint(number << 3 | 2) + varint(value.size()) + value;
}

// The step of an event of ours: wall_time (9 bytes), then field 2 where there is one.
int64_t step_of(std::string_view payload) {
  if (payload.size() < 11 || payload[9] != (2 << 3)) return -1;
  uint64_t value = 0;
  int shift = 0;
  for (size_t i = 10; i < payload.size() && shift < 64; ++i, shift += 7) {
    value |= static_cast<uint64_t>(payload[i] & 0x7f) << shift;
    if ((payload[i] & 0x80) == 0) break;
  }
  return static_cast<int64_t>(value);
}

// Length of the intact records up to the first step beyond last_step.
size_t length_to_keep(std::string_view file, int64_t last_step) {
  size_t begin = 0;
  while (file.size() - begin >= 16) {
    uint64_t length = 0;
    std::memcpy(&length, file.data() + begin, sizeof(length));
    if (length > file.size() - begin - 16) break;
    uint32_t crc = 0;
    std::memcpy(&crc, file.data() + begin + 12 + length, sizeof(crc));
    const auto payload = file.substr(begin + 12, length);
    if (crc != masked_crc(payload) || step_of(payload) > last_step) break;
    begin += 16 + length;
  }
  return begin;
}

double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

void open_to_append(std::ofstream& file, const std::filesystem::path& path) {
  file.open(path, std::ios::binary | std::ios::app);
  if (!file) throw StoreError("event log: cannot open " + path.string() + " for writing");
}

void flush(std::ofstream& file, const std::filesystem::path& path) {
  if (!file.flush()) throw StoreError("event log: cannot write to " + path.string());
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  static constexpr auto kTable = crc_table();
  uint32_t value = 0xffffffff;
  for (const char byte : bytes) {
    value = (value >> 8) ^ kTable[(value ^ static_cast<uint8_t>(byte)) & 0xff];
  }
  return ~value;
}

ScalarFile::ScalarFile(const std::filesystem::path& path, int64_t last_step) : path_(path) {
  size_t kept = 0;
  if (last_step >= 0 && std::filesystem::exists(path)) {
    const std::string old = detail::read_file(path);
    kept = length_to_keep(old, last_step);
    if (kept < old.size()) std::filesystem::resize_file(path, kept);
  } else {
    std::filesystem::remove(path);
  }
  open_to_append(file_, path_);
  if (kept == 0) append(field_double(1, unix_seconds()) + field_bytes(3, "brain.Event:2"));
}

void ScalarFile::append(const std::string& payload) {
  const std::string length = raw(static_cast<uint64_t>(payload.size()));
  const std::string record = length + raw(masked_crc(length)) + payload + raw(masked_crc(payload));
  file_.write(record.data(), static_cast<std::streamsize>(record.size()));
  flush(file_, path_);
}

void ScalarFile::write(int64_t step, double wall_seconds,
                       const std::map<std::string, double>& values) {
  std::string summary;
  for (const auto& [tag, value] : values) {
    summary += field_bytes(1, field_bytes(1, tag) + field_float(2, static_cast<float>(value)));
  }
  append(field_double(1, wall_seconds) + field_varint(2, step) + field_bytes(5, summary));
}

EventLog::EventLog(const std::filesystem::path& run_folder, const EventLogOptions& options)
    : path_(run_folder / "events.jsonl") {
  if (std::filesystem::exists(path_)) {
    const std::string old = detail::read_file(path_);
    std::string kept;
    for (size_t begin = 0; begin < old.size();) {
      const size_t end = old.find('\n', begin);
      if (end == std::string::npos) break;  // torn by a crash
      const std::string line = old.substr(begin, end - begin);
      const auto event = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (event.is_object() && event.value("step", int64_t{0}) <= options.last_step) {
        kept += line + "\n";
      }
      begin = end + 1;
    }
    if (kept != old) detail::write_file_atomically(path_, kept);
  }
  open_to_append(lines_, path_);
  if (options.tensorboard) {
    scalars_ =
        std::make_unique<ScalarFile>(run_folder / "events.out.tfevents.libvmr", options.last_step);
  }
}

void EventLog::write(const std::string& kind, int64_t step, nlohmann::json fields,
                     const std::map<std::string, double>& scalars) {
  const double now = unix_seconds();
  fields["event"] = kind;
  fields["step"] = step;
  fields["time"] = now;
  lines_ << fields.dump() << '\n';
  flush(lines_, path_);
  if (scalars_ != nullptr && !scalars.empty()) scalars_->write(step, now, scalars);
}

}  // namespace vmr::train
