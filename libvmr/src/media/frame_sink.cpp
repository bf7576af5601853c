#include "media/frame_sink.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "vmr/core/error.h"

namespace vmr::media::detail {
namespace {

constexpr int64_t kFirstAllocationBytes = int64_t(2) << 30;  // untouched memory costs nothing

}  // namespace

FrameSink::FrameSink(const std::vector<FrameJob>& jobs, Orientation orientation,
                     double expected_seconds, double film_fps)
    : jobs_(jobs), converter_(orientation), results_(jobs.size()) {
  for (size_t j = 0; j < jobs.size(); ++j) {
    const FrameJob& job = jobs[j];
    int64_t expected = static_cast<int64_t>(job.times_seconds.size());
    if (job.times_seconds.empty()) {
      const double fps = job.fps > 0 ? job.fps : film_fps;
      const double seconds =
          job.max_seconds > 0 ? std::min(job.max_seconds, expected_seconds) : expected_seconds;
      expected = static_cast<int64_t>(std::ceil(std::min(seconds, 86400.0) * fps)) + 1;
    }
    if (job.max_frames > 0) expected = std::min(expected, job.max_frames);
    results_[j].expected = std::max<int64_t>(expected, 1);
  }
}

void FrameSink::store(Result& result, int64_t slot, const at::Tensor& item) {
  at::Tensor& pixels = result.frames.pixels;
  const int64_t bytes = std::max<int64_t>(static_cast<int64_t>(item.nbytes()), 1);
  std::vector<int64_t> shape(item.sizes().begin(), item.sizes().end());
  if (pixels.defined() &&
      (pixels.sizes().slice(1) != item.sizes() || pixels.scalar_type() != item.scalar_type())) {
    throw InvalidArgument(vmr::detail::concat(
        "FrameJob: prepare returned ", item.sizes(), " ", item.scalar_type(), " after ",
        pixels.sizes().slice(1), " ", pixels.scalar_type(), "; its results must agree"));
  }
  const int64_t capacity = pixels.defined() ? pixels.size(0) : 0;
  if (slot >= capacity) {
    int64_t grown = std::max(slot + 1, capacity + capacity / 2);
    if (capacity == 0) {
      grown = std::max(grown, std::min(result.expected, kFirstAllocationBytes / bytes));
    }
    shape.insert(shape.begin(), grown);
    at::Tensor larger = at::empty(shape, item.options());
    if (result.count > 0) {
      std::memcpy(larger.mutable_data_ptr(), pixels.const_data_ptr(),
                  size_t(result.count) * item.nbytes());
    }
    pixels = larger;
  }
  std::memcpy(
      static_cast<char*>(pixels.mutable_data_ptr()) + slot * static_cast<int64_t>(item.nbytes()),
      item.const_data_ptr(), item.nbytes());
  result.count = std::max(result.count, slot + 1);
}

void FrameSink::deliver(const AVFrame* frame, double begin, double end,
                        const std::vector<Take>& takes) {
  if (takes.empty()) return;
  converter_.begin(frame);
  int prepared_job = -1;
  at::Tensor item;
  for (const Take& take : takes) {  // ordered by job
    const FrameJob& job = jobs_[size_t(take.job)];
    Result& result = results_[size_t(take.job)];
    if (take.job != prepared_job) {
      item = converter_.rgb(job.width, job.height);
      if (job.prepare) {
        item = job.prepare(item);
        VMR_CHECK(item.defined() && item.device().is_cpu(),
                  "FrameJob: prepare must return a defined CPU tensor");
        item = item.contiguous();
      }
      prepared_job = take.job;
    }
    store(result, take.slot, item);
    const auto needed = std::max(result.frames.requested_seconds.size(), size_t(take.slot) + 1);
    result.frames.requested_seconds.resize(needed);
    result.frames.shown_seconds.resize(needed);
    result.frames.until_seconds.resize(needed);
    result.frames.requested_seconds[size_t(take.slot)] = take.seconds;
    result.frames.shown_seconds[size_t(take.slot)] = begin;
    result.frames.until_seconds[size_t(take.slot)] = end;
  }
}

std::vector<Frames> FrameSink::finish() {
  std::vector<Frames> all;
  for (Result& result : results_) {
    at::Tensor& pixels = result.frames.pixels;
    pixels = pixels.defined() ? pixels.narrow(0, 0, result.count) : at::empty({0}, at::kByte);
    all.push_back(std::move(result.frames));
  }
  return all;
}

}  // namespace vmr::media::detail
