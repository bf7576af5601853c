#include "store/checkpoint_file.h"

#include <map>

#include "store/zip_directory.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr std::string_view kPickle = "/data.pkl";
// 0x1950a86a20f9469cfc6c, as a pickle holds it: the first value of a legacy file.
constexpr std::string_view kLegacyMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
constexpr int64_t kLegacyVersion = 1001;

template <typename... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw StoreError(detail::concat(parts...));
}

Pickle parse_part(std::string_view bytes, const char* part) {
  try {
    return parse_pickle(bytes);
  } catch (const StoreError& error) {
    fail(part, ", ", error.what());
  }
}

CheckpointFile parse_zip(std::string_view file) {
  const auto directory = read_zip_directory(file);
  std::string folder;
  for (const auto& [name, entry] : directory) {
    if (name.ends_with(kPickle) && name.find('/') == name.size() - kPickle.size()) {
      folder = name.substr(0, name.size() - kPickle.size() + 1);
      break;
    }
  }
  if (folder.empty()) fail("expected an entry data.pkl in the archive, got none");
  if (directory.contains(folder + "constants.pkl")) {
    fail(
        "not a state dict: the file holds a TorchScript program; in Python, save "
        "dict(torch.jit.load(file).state_dict()) instead");
  }
  const auto order = directory.find(folder + "byteorder");
  if (order != directory.end() && order->second.bytes != "little") {
    fail("expected values in little-endian order, got ", order->second.bytes.substr(0, 20),
         "; load and save the file on a little-endian machine");
  }
  CheckpointFile result{"zip"};
  const auto& [pickle_name, pickle] = *directory.find(folder + "data.pkl");
  result.outline = outline_checkpoint(parse_part(pickle.bytes, "data.pkl"));
  result.pickle = {pickle.bytes, pickle_name, pickle.crc32};
  for (const auto& storage : result.outline.storages) {
    const auto name = folder + "data/" + storage.key;
    const auto found = directory.find(name);
    const auto entry = found == directory.end() ? ZipEntry() : found->second;
    if (storage.used && (found == directory.end() || entry.bytes.size() != storage.byte_count)) {
      fail("storage ", storage.key, ": expected ", storage.byte_count, " bytes, the archive has ",
           found == directory.end() ? "no such entry" : std::to_string(entry.bytes.size()));
    }
    result.storages.push_back({entry.bytes, name, entry.crc32});
  }
  return result;
}

// One pickle after another, then the storages.
class LegacyReader {
 public:
  explicit LegacyReader(std::string_view file) : file_(file) {}

  CheckpointFile read() {
    const auto magic = next("magic number");
    if (magic[magic.root].kind != PickleKind::long_int || magic[magic.root].text != kLegacyMagic) {
      fail("expected a file of torch.save, got another pickle; in Python, torch.save the tensors");
    }
    const auto version = next("protocol version");
    if (version[version.root].kind != PickleKind::integer ||
        version[version.root].integer != kLegacyVersion) {
      fail("expected version ", kLegacyVersion, " of the layout, got another");
    }
    check_system(next("system description"));
    const auto object = next("object pickle");
    const auto keys = next("storage keys");
    CheckpointFile result{"legacy"};
    result.outline = outline_checkpoint(object);
    result.storages = read_storages(result.outline, keys);
    return result;
  }

 private:
  Pickle next(const char* part) {
    const auto begin = at_;
    auto pickle = parse_part(file_.substr(at_), detail::concat(part, " at ", begin).c_str());
    at_ += pickle.byte_count;
    return pickle;
  }

  static void check_system(const Pickle& system) {
    const auto& items = system[system.root].items;
    for (size_t i = 0; system[system.root].kind == PickleKind::dict && i < items.size(); i += 2) {
      if (system[items[i]].text == "little_endian" && system[items[i + 1]].integer == 0) {
        fail(
            "expected values in little-endian order, got big; load and save the file on a "
            "little-endian machine");
      }
    }
  }

  std::vector<FilePart> read_storages(const CheckpointOutline& outline, const Pickle& keys) {
    if (keys[keys.root].kind != PickleKind::list) fail("expected a list of storage keys");
    std::map<std::string_view, size_t> by_key;
    for (size_t i = 0; i < outline.storages.size(); ++i) by_key[outline.storages[i].key] = i;
    std::vector<FilePart> storages(outline.storages.size());
    for (const auto ref : keys[keys.root].items) {
      const auto key = by_key.find(keys[ref].text);
      if (key == by_key.end()) fail("storage ", keys[ref].text, " belongs to no tensor");
      const auto& storage = outline.storages[key->second];
      if (!storage.known_type) fail("values of ", storage.type, " are not read");
      const uint64_t count = take_count(storage.key);
      if (count != storage.count || storage.byte_count > file_.size() - at_) {
        fail("storage ", storage.key, " at byte ", at_, ": expected ", storage.count,
             " elements, got ", count, " and ", file_.size() - at_, " bytes");
      }
      storages[key->second].bytes = file_.substr(at_, storage.byte_count);
      at_ += storage.byte_count;
      by_key.erase(key);
    }
    for (const auto& [key, place] : by_key) {
      if (outline.storages[place].used) fail("storage ", key, " is missing");
    }
    return storages;
  }

  uint64_t take_count(const std::string& key) {
    uint64_t count = 0;
    if (file_.size() - at_ < sizeof count) fail("storage ", key, ": the file is cut short");
    for (size_t i = sizeof count; i-- > 0;) {
      count = count << 8 | static_cast<uint8_t>(file_[at_ + i]);
    }
    at_ += sizeof count;
    return count;
  }

  std::string_view file_;
  size_t at_ = 0;
};

}  // namespace

CheckpointFile parse_checkpoint(std::string_view file) {
  if (is_zip(file)) return parse_zip(file);
  if (file.size() > 262 && file.substr(257, 5) == "ustar") {
    fail(
        "expected a file of torch.save since PyTorch 0.1.10, got the tar layout before it; load "
        "and save it in a newer PyTorch");
  }
  if (file.empty() || file[0] != '\x80') {
    fail("expected a file of torch.save (a zip archive or a pickle), got neither");
  }
  return LegacyReader(file).read();
}

}  // namespace vmr::store
