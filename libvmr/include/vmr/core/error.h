// Errors of libvmr. A message names the function, what was expected, what came and what to do:
// "log_mel: expected waveform [samples] or [batch, samples], got [2, 1, 16000]; squeeze the
// channel axis". Absent keys, ends of streams and empty results are values, not errors.
// Thread-safe.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace vmr {

// Base of everything libvmr throws.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The caller passed something the function cannot accept.
class InvalidArgument : public Error {
 public:
  using Error::Error;
};

// A media file cannot be opened, decoded or written.
class MediaError : public Error {
 public:
  using Error::Error;
};

// A store, checkpoint, catalogue or other file of ours is missing, damaged or full.
class StoreError : public Error {
 public:
  using Error::Error;
};

// A CUDA call failed or CUDA is not there.
class CudaError : public Error {
 public:
  using Error::Error;
};

// The function exists but the library it needs was switched off in this build.
class NotBuilt : public Error {
 public:
  using Error::Error;
};

namespace detail {

template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

[[noreturn]] void fail_assert(const char* condition, const char* file, int line,
                              const std::string& message);

}  // namespace detail
}  // namespace vmr

// The caller's fault: throws InvalidArgument made of the streamed parts.
#define VMR_CHECK(condition, ...)                                       \
  do {                                                                  \
    if (!(condition)) {                                                 \
      throw ::vmr::InvalidArgument(::vmr::detail::concat(__VA_ARGS__)); \
    }                                                                   \
  } while (false)

// Our fault: throws Error with the place, asking for a report.
#define VMR_ASSERT(condition, ...)                                    \
  do {                                                                \
    if (!(condition)) {                                               \
      ::vmr::detail::fail_assert(#condition, __FILE__, __LINE__,      \
                                 ::vmr::detail::concat(__VA_ARGS__)); \
    }                                                                 \
  } while (false)
