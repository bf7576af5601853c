// The memory of a worker on Farneback's flow: many planes that live as long as it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace vmr::video::detail {

class FloatPool {
 public:
  // Zeros, aligned for any vector; one may be read whole at the last of them. Valid as long as the
  // pool.
  float* take(int64_t count);

 private:
  struct Free {
    void operator()(void* p) const;
  };
  std::vector<std::unique_ptr<void, Free>> memory_;
};

}  // namespace vmr::video::detail
