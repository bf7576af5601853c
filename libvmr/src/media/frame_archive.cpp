#include "vmr/media/frame_archive.h"

#include <zip.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "vmr/core/error.h"

namespace vmr::media {
namespace {

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct CloseMember {
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;
using Member = std::unique_ptr<zip_file_t, CloseMember>;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& fault) {
  throw MediaError(path.string() + ": " + fault);
}

Archive open_archive(const std::filesystem::path& path) {
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (archive) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string reason = zip_error_strerror(&error);
  zip_error_fini(&error);
  refuse(path, "cannot be read as a zip archive: " + reason);
}

// A member that would land beside the folder the archive is unpacked into. Nothing is unpacked
// here, but such an archive was made to do harm.
bool leads_out(const std::string& name) {
  if (name.empty() || name[0] == '/' || name.find('\\') != name.npos ||
      (name.size() > 1 && name[1] == ':')) {
    return true;
  }
  const auto parts = std::filesystem::path(name);
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

bool ends_with(const std::string& name, const std::string& ending) {
  return name.size() > ending.size() &&
         std::equal(ending.rbegin(), ending.rend(), name.rbegin(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) ==
                  std::tolower(static_cast<unsigned char>(b));
         });
}

// What macOS puts beside each file of an archive, under the file's own ending: "__MACOSX/._1.jpg".
bool is_resource_fork(const std::string& name) {
  return name.compare(name.rfind('/') + 1, 2, "._") == 0;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Runs of digits compare as numbers, all else by bytes.
bool natural_less(const std::string& a, const std::string& b) {
  const auto number = [](const std::string& text, size_t& place) {
    const size_t begin = text.find_first_not_of('0', place);
    size_t end = place;
    while (end < text.size() && is_digit(text[end])) ++end;
    place = end;
    return begin >= end ? std::string() : text.substr(begin, end - begin);
  };
  size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (is_digit(a[i]) && is_digit(b[j])) {
      const auto x = number(a, i), y = number(b, j);
      if (x.size() != y.size()) return x.size() < y.size();
      if (x != y) return x < y;
    } else {
      if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      ++i, ++j;
    }
  }
  if (a.size() - i != b.size() - j) return a.size() - i < b.size() - j;
  return a < b;
}

struct Entry {
  std::string name;
  zip_uint64_t index = 0, size = 0;
};

std::vector<Entry> list_pictures(const std::filesystem::path& path, zip_t* archive,
                                 const FrameArchiveOptions& options) {
  const zip_int64_t members = zip_get_num_entries(archive, 0);
  if (members > options.max_members) {
    refuse(path, vmr::detail::concat("expected at most ", options.max_members,
                                     " members in an archive of frames, got ", members));
  }
  std::vector<Entry> pictures;
  for (zip_int64_t i = 0; i < members; ++i) {
    zip_stat_t stat;
    if (zip_stat_index(archive, zip_uint64_t(i), ZIP_FL_ENC_RAW, &stat) != 0 ||
        (stat.valid & ZIP_STAT_NAME) == 0 || (stat.valid & ZIP_STAT_SIZE) == 0) {
      refuse(path, vmr::detail::concat("member ", i, " has no name or size"));
    }
    const std::string name = stat.name;
    if (leads_out(name)) {
      refuse(path, "the member \"" + name + "\" leads out of the folder it is unpacked into");
    }
    const bool picture =
        std::any_of(options.endings.begin(), options.endings.end(),
                    [&](const std::string& ending) { return ends_with(name, ending); });
    if (!picture || is_resource_fork(name)) continue;
    if ((stat.valid & ZIP_STAT_ENCRYPTION_METHOD) != 0 && stat.encryption_method != ZIP_EM_NONE) {
      refuse(path, name + ": encrypted pictures are not read");
    }
    pictures.push_back({name, zip_uint64_t(i), stat.size});
  }
  if (!options.archive_order) {
    std::stable_sort(pictures.begin(), pictures.end(),
                     [](const Entry& a, const Entry& b) { return natural_less(a.name, b.name); });
  }
  if (pictures.size() > size_t(options.max_frames)) pictures.resize(size_t(options.max_frames));
  return pictures;
}

void check_sizes(const std::filesystem::path& path, const std::vector<Entry>& pictures,
                 const FrameArchiveOptions& options) {
  zip_uint64_t total = 0;
  for (const auto& picture : pictures) {
    if (picture.size > zip_uint64_t(options.max_picture_bytes)) {
      refuse(path, vmr::detail::concat(picture.name, ": expected a picture of at most ",
                                       options.max_picture_bytes, " bytes, it unpacks to ",
                                       picture.size));
    }
    total += picture.size;
  }
  if (total > zip_uint64_t(options.max_archive_bytes)) {
    refuse(path, vmr::detail::concat("expected pictures of at most ", options.max_archive_bytes,
                                     " bytes together, they unpack to ", total));
  }
}

std::string read_member(const std::filesystem::path& path, zip_t* archive, const Entry& entry) {
  const Member member(zip_fopen_index(archive, entry.index, 0));
  if (!member) refuse(path, entry.name + ": " + zip_strerror(archive));
  // One byte more than was declared shows a member that lies, and makes libzip compare its sum.
  std::string bytes(size_t(entry.size) + 1, '\0');
  size_t count = 0;
  while (count < bytes.size()) {
    const auto read = zip_fread(member.get(), bytes.data() + count, bytes.size() - count);
    if (read < 0) refuse(path, entry.name + ": " + zip_file_strerror(member.get()));
    if (read == 0) break;
    count += size_t(read);
  }
  if (count != size_t(entry.size)) {
    refuse(path, vmr::detail::concat(entry.name, ": expected ", entry.size,
                                     " bytes, as the archive says, it unpacks to ",
                                     count > entry.size ? "more" : std::to_string(count)));
  }
  bytes.resize(count);
  return bytes;
}

}  // namespace

std::vector<ArchivedPicture> read_frame_archive(const std::filesystem::path& path,
                                                const FrameArchiveOptions& options) {
  validate(options);
  const auto archive = open_archive(path);
  const auto entries = list_pictures(path, archive.get(), options);
  check_sizes(path, entries, options);
  std::vector<ArchivedPicture> pictures;
  for (const auto& entry : entries) {
    pictures.push_back({entry.name, read_member(path, archive.get(), entry)});
  }
  return pictures;
}

}  // namespace vmr::media
