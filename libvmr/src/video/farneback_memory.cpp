#include "video/farneback_memory.h"

#include <cstdlib>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace vmr::video::detail {
namespace {

constexpr size_t kAligned = 64, kPage = 4096;
constexpr size_t kLarge = size_t{4} << 20;

// Each new page costs a visit to the kernel: as much as half of a single pair of large frames.
void use_large_pages([[maybe_unused]] void* begin, [[maybe_unused]] size_t bytes) {
#ifdef __linux__
  size_t room = bytes;
  void* page = begin;
  if (std::align(kPage, bytes - kPage, page, room)) madvise(page, bytes - kPage, MADV_HUGEPAGE);
#endif
}

}  // namespace

void FloatPool::Free::operator()(void* p) const { std::free(p); }

float* FloatPool::take(int64_t count) {
  const size_t bytes = static_cast<size_t>(count + 16) * sizeof(float);
  size_t room = bytes + kAligned;
  void* begin = std::calloc(room, 1);  // zero pages of the system come free
  if (!begin) throw std::bad_alloc();
  memory_.emplace_back(begin);
  if (bytes >= kLarge) use_large_pages(begin, bytes);
  return static_cast<float*>(std::align(kAligned, bytes, begin, room));
}

}  // namespace vmr::video::detail
