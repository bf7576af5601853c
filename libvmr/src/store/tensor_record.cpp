#include "store/tensor_record.h"

#include <bit>
#include <cstring>

#include "store/byte_count.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"

namespace vmr::store {
namespace {

static_assert(std::endian::native == std::endian::little, "records are written as they lie");

constexpr char kMagic[4] = {'V', 'M', 'R', 'T'};
constexpr size_t kFixedBytes = 40;
constexpr size_t kFingerprintBytes = 32;
constexpr int64_t kMaxAxes = 16;
constexpr size_t kMaxRecordBytes = 0xffffffffu;  // LMDB's limit for one value
constexpr size_t kMaxNameBytes = 400;

// LMDB puts a large value 16 bytes behind a page boundary, so values that start 48 bytes behind a
// multiple of 64 in the record start at a multiple of 64 in memory.
constexpr size_t kAlignment = 64, kPageHeader = 16;

constexpr at::ScalarType kDtypes[] = {
    at::ScalarType::Undefined, at::ScalarType::Float, at::ScalarType::Double, at::ScalarType::Half,
    at::ScalarType::BFloat16,  at::ScalarType::Long,  at::ScalarType::Int,    at::ScalarType::Short,
    at::ScalarType::Char,      at::ScalarType::Byte,  at::ScalarType::Bool};

uint8_t dtype_code(at::ScalarType dtype) {
  for (uint8_t code = 1; code < std::size(kDtypes); ++code) {
    if (kDtypes[code] == dtype) return code;
  }
  throw InvalidArgument(detail::concat("FeatureStore: values of dtype ", c10::toString(dtype),
                                       " cannot be stored; convert to float32 or int64"));
}

template <typename T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
char* save(char* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

char* save_text(char* to, const std::string& text) {
  to = save(to, static_cast<uint32_t>(text.size()));
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

size_t times_bytes(const RowTimes& times) {
  return times.is_regular() ? 3 * sizeof(double)
                            : static_cast<size_t>(times.size()) * 2 * sizeof(double);
}

size_t value_offset(const FeatureTrack& track, const std::string& id) {
  const size_t used = kFixedBytes + static_cast<size_t>(track.values.dim()) * sizeof(int64_t) +
                      times_bytes(track.times) + kFingerprintBytes + 2 * sizeof(uint32_t) +
                      id.size() + track.provenance.media_hash.size();
  return (used + kPageHeader + kAlignment - 1) / kAlignment * kAlignment - kPageHeader;
}

// Takes bytes from the header part of a record and never reads past its end.
class Taker {
 public:
  explicit Taker(std::string_view bytes) : bytes_(bytes) {}

  std::string_view take(size_t count) {
    if (count > bytes_.size()) throw DamagedRecord("header is shorter than its parts");
    const auto taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  template <typename T>
  T number() {
    return load<T>(take(sizeof(T)).data());
  }
  std::string_view text() { return take(number<uint32_t>()); }
  size_t left() const { return bytes_.size(); }

 private:
  std::string_view bytes_;
};

RowTimes take_times(Taker& taker, uint8_t kind, int64_t rows) {
  if (kind == 0) {
    const auto start = taker.number<double>(), hop = taker.number<double>(),
               width = taker.number<double>();
    // An empty track may have been made without a grid.
    if (rows == 0 && hop == 0 && width == 0) return RowTimes();
    if (!(hop > 0) || !(width > 0)) throw DamagedRecord("row times are no grid");
    return RowTimes::regular(rows, start, hop, width);
  }
  if (kind != 1) throw DamagedRecord("unknown kind of row times");
  if (static_cast<uint64_t>(rows) > taker.left() / (2 * sizeof(double))) {
    throw DamagedRecord("header is shorter than its row times");
  }
  std::vector<Interval> list(static_cast<size_t>(rows));
  for (auto& row : list) {
    row.start_seconds = taker.number<double>();
    row.end_seconds = taker.number<double>();
    if (!(row.end_seconds >= row.start_seconds)) throw DamagedRecord("a row ends before it starts");
  }
  return RowTimes::explicit_rows(std::move(list));
}

constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ull, kPrime2 = 0xC2B2AE3D27D4EB4Full,
                   kPrime3 = 0x165667B19E3779F9ull, kPrime4 = 0x85EBCA77C2B2AE63ull,
                   kPrime5 = 0x27D4EB2F165667C5ull;

uint64_t round64(uint64_t lane, uint64_t input) {
  return std::rotl(lane + input * kPrime2, 31) * kPrime1;
}

}  // namespace

uint64_t xxh64(std::string_view bytes, uint64_t seed) {
  const char* at = bytes.data();
  const char* const end = at + bytes.size();
  uint64_t hash;
  if (bytes.size() >= 32) {
    uint64_t a = seed + kPrime1 + kPrime2, b = seed + kPrime2, c = seed, d = seed - kPrime1;
    for (; end - at >= 32; at += 32) {
      a = round64(a, load<uint64_t>(at));
      b = round64(b, load<uint64_t>(at + 8));
      c = round64(c, load<uint64_t>(at + 16));
      d = round64(d, load<uint64_t>(at + 24));
    }
    hash = std::rotl(a, 1) + std::rotl(b, 7) + std::rotl(c, 12) + std::rotl(d, 18);
    for (uint64_t lane : {a, b, c, d}) hash = (hash ^ round64(0, lane)) * kPrime1 + kPrime4;
  } else {
    hash = seed + kPrime5;
  }
  hash += bytes.size();
  for (; end - at >= 8; at += 8) {
    hash = std::rotl(hash ^ round64(0, load<uint64_t>(at)), 27) * kPrime1 + kPrime4;
  }
  if (end - at >= 4) {
    hash = std::rotl(hash ^ load<uint32_t>(at) * kPrime1, 23) * kPrime2 + kPrime3;
    at += 4;
  }
  for (; at != end; ++at) {
    hash = std::rotl(hash ^ static_cast<uint8_t>(*at) * kPrime5, 11) * kPrime1;
  }
  hash = (hash ^ (hash >> 33)) * kPrime2;
  hash = (hash ^ (hash >> 29)) * kPrime3;
  return hash ^ (hash >> 32);
}

size_t record_bytes(const FeatureTrack& track, const std::string& id) {
  validate(track);
  dtype_code(track.values.scalar_type());
  VMR_CHECK(track.values.dim() <= kMaxAxes, "FeatureStore: expected at most ", kMaxAxes,
            " axes, got ", track.values.dim());
  const size_t bytes = value_offset(track, id) + track.values.nbytes();
  VMR_CHECK(bytes <= kMaxRecordBytes, "FeatureStore: a track of ", bytes,
            " bytes is above the 4 GiB that one item can have; store it in stretches");
  return bytes;
}

uint64_t value_hash(const FeatureTrack& track) {
  return xxh64({static_cast<const char*>(track.values.const_data_ptr()), track.values.nbytes()});
}

void encode_record(const FeatureTrack& track, const std::string& id, const std::string& fingerprint,
                   uint64_t value_hash, char* out) {
  VMR_ASSERT(fingerprint.size() == kFingerprintBytes, "fingerprint ", fingerprint);
  const size_t offset = value_offset(track, id);
  const size_t bytes = track.values.nbytes();
  std::memset(out, 0, offset);
  char* at = out;
  std::memcpy(at, kMagic, sizeof kMagic);
  at = save<uint8_t>(at + sizeof kMagic, kRecordVersion);
  at = save<uint8_t>(at, dtype_code(track.values.scalar_type()));
  at = save<uint8_t>(at, static_cast<uint8_t>(track.values.dim()));
  at = save<uint8_t>(at, track.times.is_regular() ? 0 : 1);
  at = save<uint64_t>(at, bytes);
  at = save<uint32_t>(at, static_cast<uint32_t>(offset));
  at = save<uint32_t>(at, 0);
  at = save<uint64_t>(at, value_hash);
  char* const hash_place = at;
  at += sizeof(uint64_t);
  for (int64_t size : track.values.sizes()) at = save<int64_t>(at, size);
  if (track.times.is_regular()) {
    at = save(at, track.times.start_seconds());
    at = save(at, track.times.hop_seconds());
    at = save(at, track.times.width_seconds());
  } else {
    for (const auto& row : track.times.to_list()) {
      at = save(at, row.start_seconds);
      at = save(at, row.end_seconds);
    }
  }
  std::memcpy(at, fingerprint.data(), kFingerprintBytes);
  at = save_text(at + kFingerprintBytes, id);
  save_text(at, track.provenance.media_hash);
  save(hash_place, xxh64({out + kFixedBytes, offset - kFixedBytes}, xxh64({out, 32})));
  if (bytes > 0) std::memcpy(out + offset, track.values.const_data_ptr(), bytes);
}

RecordHeader parse_record(std::string_view record) {
  if (record.size() < kFixedBytes) throw DamagedRecord("record is cut short");
  if (std::memcmp(record.data(), kMagic, sizeof kMagic) != 0) throw DamagedRecord("not a record");
  const auto version = load<uint8_t>(record.data() + 4);
  if (version > kRecordVersion) {
    throw StoreError(detail::concat("record version ", int{version},
                                    " is newer than this build reads (", int{kRecordVersion},
                                    "); use a newer libvmr"));
  }
  const auto code = load<uint8_t>(record.data() + 5);
  const auto axes = load<uint8_t>(record.data() + 6);
  RecordHeader header;
  const auto value_bytes = load<uint64_t>(record.data() + 8);
  header.value_offset = load<uint32_t>(record.data() + 16);
  header.value_hash = load<uint64_t>(record.data() + 24);
  if (header.value_offset < kFixedBytes || header.value_offset > record.size() ||
      value_bytes != record.size() - header.value_offset) {
    throw DamagedRecord(detail::concat("record says ", header.value_offset, " + ", value_bytes,
                                       " bytes but has ", record.size()));
  }
  header.value_bytes = value_bytes;
  const auto rest = record.substr(kFixedBytes, header.value_offset - kFixedBytes);
  if (xxh64(rest, xxh64(record.substr(0, 32))) != load<uint64_t>(record.data() + 32)) {
    throw DamagedRecord("checksum of the header is wrong");
  }
  if (version == 0 || code == 0 || code >= std::size(kDtypes) || axes == 0 || axes > kMaxAxes) {
    throw DamagedRecord("unknown version, dtype or number of axes");
  }
  header.dtype = kDtypes[code];
  Taker taker(rest);
  for (int axis = 0; axis < axes; ++axis) header.shape.push_back(taker.number<int64_t>());
  if (byte_count(header.shape, c10::elementSize(header.dtype)) != value_bytes) {
    throw DamagedRecord(detail::concat("shape does not agree with ", value_bytes, " value bytes"));
  }
  header.times = take_times(taker, load<uint8_t>(record.data() + 7), header.shape[0]);
  header.fingerprint = taker.take(kFingerprintBytes);
  header.id = taker.text();
  header.media_hash = taker.text();
  return header;
}

void verify_values(const RecordHeader& header, std::string_view record) {
  if (xxh64(record.substr(header.value_offset)) != header.value_hash) {
    throw DamagedRecord("checksum of the values is wrong");
  }
}

std::string encode_key(const FeatureKey& key) {
  VMR_CHECK(!key.feature.empty() && !key.kind.empty() && !key.id.empty(),
            "FeatureKey: expected feature, kind and id, got \"", key_text(key), "\"");
  VMR_CHECK(key.feature.find('\0') == std::string::npos && key.kind.find('\0') == std::string::npos,
            "FeatureKey: NUL in feature or kind");
  VMR_CHECK(key.feature.size() + key.kind.size() <= kMaxNameBytes,
            "FeatureKey: feature and kind have ", key.feature.size() + key.kind.size(),
            " bytes together; at most ", kMaxNameBytes);
  std::string encoded = key_prefix(key.feature, key.kind);
  if (encoded.size() + key.id.size() <= kMaxKeyBytes && key.id[0] != '\xff') {
    return encoded + key.id;
  }
  return encoded + '\xff' + hash_text(key.id);
}

std::string key_prefix(const std::string& feature, const std::string& kind) {
  std::string prefix;
  if (feature.empty()) return prefix;
  prefix += feature;
  prefix += '\0';
  if (kind.empty()) return prefix;
  prefix += kind;
  prefix += '\0';
  return prefix;
}

FeatureKey decode_key(std::string_view encoded, std::string_view record) {
  const auto first = encoded.find('\0');
  const auto second = first == encoded.npos ? first : encoded.find('\0', first + 1);
  if (second == encoded.npos || second + 1 == encoded.size()) throw DamagedRecord("not a key");
  FeatureKey key;
  key.feature = encoded.substr(0, first);
  key.kind = encoded.substr(first + 1, second - first - 1);
  key.id = encoded.substr(second + 1);
  if (key.id[0] == '\xff') key.id = parse_record(record).id;
  return key;
}

std::string key_text(const FeatureKey& key) { return key.feature + "/" + key.kind + "/" + key.id; }

}  // namespace vmr::store
