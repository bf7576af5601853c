#include "store/file_mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "vmr/core/error.h"

namespace vmr::store {

FileMapping::FileMapping(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info {};
  if (file < 0 || ::fstat(file, &info) != 0) {
    const int reason = errno;
    if (file >= 0) ::close(file);
    throw StoreError(std::strerror(reason));
  }
  if (S_ISDIR(info.st_mode)) {
    ::close(file);
    throw StoreError("it is a folder; name a file in it");
  }
  size_ = static_cast<size_t>(info.st_size);
  void* place = MAP_FAILED;
  if (S_ISREG(info.st_mode) && size_ > 0) {
    place = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, file, 0);
  }
  ::close(file);
  if (size_ == 0) throw StoreError("the file is empty");
  if (place == MAP_FAILED) throw StoreError("the file cannot be mapped");
  data_ = static_cast<char*>(place);
}

FileMapping::~FileMapping() { ::munmap(data_, size_); }

}  // namespace vmr::store
