#include "media/frame_scheduler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "vmr/core/error.h"

namespace vmr::media {
namespace detail {
namespace {

constexpr int64_t kNoLimit = std::numeric_limits<int64_t>::max();
constexpr double kRounding = 1e-9;  // of a double computation of a time

}  // namespace

FrameScheduler::FrameScheduler(const std::vector<FrameJob>& jobs, double tolerance_seconds)
    : tolerance_(tolerance_seconds) {
  for (const FrameJob& job : jobs) {
    State state;
    state.sampling = job.sampling;
    state.max_seconds = job.max_seconds;
    state.limit = job.max_frames > 0 ? job.max_frames : kNoLimit;
    if (!job.times_seconds.empty()) {
      state.kind = Kind::list;
      std::vector<double> wanted;
      for (const double t : job.times_seconds) {
        if (job.max_seconds > 0 && t >= job.max_seconds) continue;
        if (static_cast<int64_t>(wanted.size()) < state.limit) wanted.push_back(t);
      }
      state.slots.resize(wanted.size());
      std::iota(state.slots.begin(), state.slots.end(), 0);
      std::stable_sort(state.slots.begin(), state.slots.end(), [&](int64_t a, int64_t b) {
        return wanted[static_cast<size_t>(a)] < wanted[static_cast<size_t>(b)];
      });
      for (const int64_t slot : state.slots) {
        state.times.push_back(wanted[static_cast<size_t>(slot)]);
      }
      state.limit = static_cast<int64_t>(wanted.size());
    } else if (job.fps > 0) {
      state.kind = Kind::grid;
      state.fps = job.fps;
    }
    states_.push_back(std::move(state));
  }
}

bool FrameScheduler::State::exhausted() const {
  if (next >= limit) return true;
  return kind == Kind::grid && max_seconds > 0 && time(next) >= max_seconds - kRounding;
}

double FrameScheduler::State::time(int64_t k) const {
  return kind == Kind::grid ? static_cast<double>(k) / fps : times[static_cast<size_t>(k)];
}

bool FrameScheduler::serves(const State& state, double t, double begin, double end,
                            bool last) const {
  // A list's times all get a frame; a grid stops where the film does.
  if (last && state.kind == Kind::list) return true;
  if (last && t >= end - tolerance_) return false;
  switch (state.sampling) {
    case FrameSampling::shown_at:
      return t < end - tolerance_;
    case FrameSampling::nearest:
      return last || t - begin <= end - t + kRounding;
    case FrameSampling::first_at_or_after:
      return t <= begin + tolerance_;
  }
  return false;
}

std::vector<Take> FrameScheduler::offer(double begin, double end, bool last) {
  std::vector<Take> takes;
  for (size_t job = 0; job < states_.size(); ++job) {
    State& state = states_[job];
    if (state.kind == Kind::every_frame) {
      const bool in_time = state.max_seconds <= 0 || begin < state.max_seconds - kRounding;
      if (in_time && state.next < state.limit) {
        takes.push_back({static_cast<int>(job), state.next++, begin});
      } else {
        state.limit = state.next;
      }
      continue;
    }
    while (!state.exhausted()) {
      const double t = state.time(state.next);
      if (!serves(state, t, begin, end, last)) break;
      const int64_t slot =
          state.kind == Kind::list ? state.slots[static_cast<size_t>(state.next)] : state.next;
      takes.push_back({static_cast<int>(job), slot, t});
      ++state.next;
    }
  }
  return takes;
}

bool FrameScheduler::finished() const {
  return std::all_of(states_.begin(), states_.end(),
                     [](const State& state) { return state.exhausted(); });
}

}  // namespace detail

void validate(const FrameJob& job) {
  VMR_CHECK(job.fps >= 0 && job.fps <= 1e4, "FrameJob: fps is ", job.fps, ", expected 0 to 10000");
  VMR_CHECK(job.fps == 0 || job.times_seconds.empty(),
            "FrameJob: fps and times_seconds are both given; give one of them");
  for (const double t : job.times_seconds) {
    VMR_CHECK(std::isfinite(t), "FrameJob: times_seconds holds ", t, ", expected finite seconds");
  }
  VMR_CHECK(job.max_frames >= 0, "FrameJob: max_frames is ", job.max_frames,
            ", expected 0 or more");
  VMR_CHECK(job.max_seconds >= 0, "FrameJob: max_seconds is ", job.max_seconds,
            ", expected 0 or more");
  VMR_CHECK(job.width >= 0 && job.height >= 0 && job.width <= 16384 && job.height <= 16384 &&
                (job.width > 0) == (job.height > 0),
            "FrameJob: size is ", job.width, " x ", job.height,
            ", expected both 0 or both 1 to 16384");
}

}  // namespace vmr::media
