#include "core/file_io.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "vmr/core/error.h"

namespace vmr::detail {
namespace {

[[noreturn]] void fail(const char* what, const std::filesystem::path& path) {
  throw StoreError(concat("cannot ", what, " ", path.string(), ": ", std::strerror(errno)));
}

}  // namespace

void sync_path(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("open", path);
  const int result = ::fsync(file);
  ::close(file);
  if (result != 0) fail("sync", path);
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  const std::filesystem::path aside = path.string() + ".part" + std::to_string(::getpid());
  const int file = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) fail("write", path);
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = ::write(file, bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      const int reason = errno;
      ::close(file);
      ::unlink(aside.c_str());
      errno = reason;
      fail("write", path);
    }
    written += static_cast<size_t>(count);
  }
  const bool synced = ::fsync(file) == 0;
  if (::close(file) != 0 || !synced || ::rename(aside.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(aside.c_str());
    errno = reason;
    fail("write", path);
  }
  const auto folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  sync_path(folder);
}

void replace_folder(const std::filesystem::path& path,
                    const std::function<void(const std::filesystem::path& aside)>& fill) {
  const std::filesystem::path aside = path.string() + ".part";
  std::filesystem::remove_all(aside);
  std::filesystem::create_directories(aside);
  fill(aside);
  std::filesystem::remove_all(path);
  std::filesystem::rename(aside, path);
}

std::string read_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail("open", path);
  std::string text;
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(file, buffer, sizeof(buffer));
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {  // a folder says so here
      const int reason = errno;
      ::close(file);
      errno = reason;
      fail("read", path);
    }
    text.append(buffer, static_cast<size_t>(count));
  }
  ::close(file);
  return text;
}

}  // namespace vmr::detail
