#include "video/farneback_batch.h"

#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>

#include <cstring>
#include <unordered_map>

#include "core/dispatch.h"
#include "video/farneback_plan.h"
#include "video/flow_pairs.h"
#include "video/tensor_checks.h"

namespace vmr::video::detail {
namespace {

// Five planes of each pair must fit the last axis of a grid, 65,535.
constexpr int kMaxPairs = 13000;

// Hands out places of a block of memory one after the other; without memory it only counts.
class Arena {
 public:
  explicit Arena(void* memory = nullptr) : base_(reinterpret_cast<uintptr_t>(memory)) {}
  template <typename T>
  T* take(int64_t count) {
    const int64_t at = used_;
    used_ += (count * int64_t(sizeof(T)) + 255) / 256 * 256;
    return reinterpret_cast<T*>(base_ + static_cast<uintptr_t>(at));
  }
  int64_t used() const { return used_; }

 private:
  uintptr_t base_;
  int64_t used_ = 0;
};

// Tables written on the host for the place that they will have on the device.
class Tables {
 public:
  Tables() = default;
  Tables(void* host, void* device)
      : host_(static_cast<uint8_t*>(host)),
        device_(static_cast<uint8_t*>(device)),
        arena_(device) {}
  template <typename T>
  const T* put(const std::vector<T>& values) {
    const T* there = arena_.take<T>(static_cast<int64_t>(values.size()));
    if (host_ && !values.empty()) {
      std::memcpy(host_ + (reinterpret_cast<const uint8_t*>(there) - device_), values.data(),
                  values.size() * sizeof(T));
    }
    return there;
  }
  FilterTable put(const AxisFilter& axis) {
    return {put(axis.first), put(axis.weights), static_cast<int>(axis.stride),
            axis.inputs,     axis.outputs,      axis.taps};
  }
  int64_t used() const { return arena_.used(); }

 private:
  uint8_t *host_ = nullptr, *device_ = nullptr;
  Arena arena_;
};

struct Chunk {
  int64_t begin = 0;  // of its pairs
  std::vector<const uint8_t*> pictures;
  std::vector<SlotPair> pair_slots;
};

class Batch {
 public:
  Batch(std::vector<at::Tensor> frames, const FlowOptions& options, FlowResult result, int64_t bins)
      : frames_(std::move(frames)),
        result_(result),
        bins_(static_cast<int>(bins)),
        height_(frames_[0].size(1)),
        width_(frames_[0].size(2)),
        colour_(frames_[0].dim() == 4),
        pairs_(frames_.size() == 2 ? frames_[0].size(0)
                                   : std::max<int64_t>(frames_[0].size(0) - 1, 0)),
        guess_(require_first_guess(frames_[0], pairs_, options)) {
    for (auto& tensor : frames_) tensor = tensor.contiguous();
  }

  at::Tensor run(const FlowOptions& options, const FarnebackRunner& runner) {
    at::Tensor values = at::empty(result_sizes(), frames_[0].options().dtype(at::kFloat));
    if (pairs_ == 0) return values;
    plan_ = plan_farneback(height_, width_, options.farneback);
    divide(options.workspace_bytes);
    const at::Tensor tables = upload();
    int64_t bytes = 0;
    for (const auto& chunk : chunks_) bytes = std::max(bytes, workspace_bytes(chunk));
    const at::Tensor workspace = at::empty({bytes}, frames_[0].options());
    const int64_t row = values.numel() / pairs_;
    for (size_t i = 0; i < chunks_.size(); ++i) {
      Arena arena(workspace.mutable_data_ptr());
      FarnebackWork work = place(arena, chunks_[i]);
      float* to = values.mutable_data_ptr<float>() + chunks_[i].begin * row;
      (result_ == FlowResult::fields ? work.flow[0] : work.values) = to;
      work.pictures = pictures_[i];
      work.pair_slots = pair_slots_[i];
      if (guess_.defined()) {
        work.first_guess = guess_.const_data_ptr<float>() + chunks_[i].begin * 2 * pixels();
      }
      runner(device_plan_, work);
    }
    return values;
  }

 private:
  int64_t pixels() const { return height_ * width_; }

  std::vector<int64_t> result_sizes() const {
    switch (result_) {
      case FlowResult::fields:
        return {pairs_, 2, height_, width_};
      case FlowResult::lengths:
        return {pairs_, height_, width_};
      case FlowResult::mean_length:
        return {pairs_};
      default:
        return {pairs_, bins_};
    }
  }

  // The room of a chunk; its results and tables lie elsewhere.
  FarnebackWork place(Arena& arena, const Chunk& chunk) const {
    FarnebackWork work;
    work.slots = static_cast<int>(chunk.pictures.size());
    work.pairs = static_cast<int>(chunk.pair_slots.size());
    work.colour = colour_;
    work.result = result_;
    work.bins = bins_;
    const int64_t frames = work.slots * pixels(), pairs = work.pairs * pixels();
    if (colour_) work.grey = arena.take<uint8_t>(frames);
    work.level = arena.take<float>(frames);
    work.four = arena.take<FourFloats>(frames);
    work.mixed = arena.take<float>(frames);
    work.flow[1] = arena.take<float>(2 * pairs);
    if (result_ != FlowResult::fields) work.flow[0] = arena.take<float>(2 * pairs);
    if (plan_.radius > kFusedRadius) {
      work.equations = arena.take<float>(kEquations * pairs);
      work.sums = arena.take<float>(kEquations * pairs);
    }
    if (result_ == FlowResult::mean_length || result_ == FlowResult::directions) {
      work.bin_sums = arena.take<double>(int64_t(work.pairs) * BinStep::parts(pixels()) * bins_);
    }
    return work;
  }

  int64_t workspace_bytes(const Chunk& chunk) const {
    Arena arena;
    place(arena, chunk);
    return arena.used();
  }

  const uint8_t* picture(int64_t frame) const {
    const int64_t in_first = frames_[0].size(0);
    const at::Tensor& tensor = frames_[frame < in_first ? 0 : 1];
    return tensor.const_data_ptr<uint8_t>() +
           (frame < in_first ? frame : frame - in_first) * pixels() * (colour_ ? 3 : 1);
  }

  // Into runs of pairs whose room has `limit` bytes: a frame of several pairs has one slot in each.
  void divide(int64_t limit) {
    std::unordered_map<int64_t, int32_t> slots;  // by frame
    for (int64_t i = 0; i < pairs_; ++i) {
      const int64_t to = frames_.size() == 2 ? pairs_ + i : i + 1;
      if (i == 0 || !add(chunks_.back(), slots, i, to, limit)) {
        chunks_.push_back({.begin = i});
        slots.clear();
        add(chunks_.back(), slots, i, to, limit);
      }
    }
  }

  bool add(Chunk& chunk, std::unordered_map<int64_t, int32_t>& slots, int64_t from, int64_t to,
           int64_t limit) const {
    const auto before = chunk.pictures.size();
    const auto slot = [&](int64_t frame) {
      const auto [known, added] = slots.try_emplace(frame, static_cast<int32_t>(slots.size()));
      if (added) chunk.pictures.push_back(picture(frame));
      return known->second;
    };
    const int32_t first = slot(from);
    chunk.pair_slots.push_back({first, slot(to)});
    const auto pairs = chunk.pair_slots.size();
    if (pairs == 1 || (pairs <= kMaxPairs && workspace_bytes(chunk) <= limit)) return true;
    chunk.pair_slots.pop_back();
    chunk.pictures.resize(before);
    return false;
  }

  // All tables in one copy from memory that the device reads by itself, so that nobody waits.
  at::Tensor upload() {
    Tables counted;
    write(counted);
    const bool cuda = frames_[0].is_cuda();
    const at::Tensor host =
        at::empty({counted.used()}, at::TensorOptions(at::kByte).pinned_memory(cuda));
    at::Tensor device = at::empty({counted.used()}, frames_[0].options());
    Tables tables(host.mutable_data_ptr(), device.mutable_data_ptr());
    write(tables);
    device.copy_(host, /*non_blocking=*/true);
    return device;
  }

  void write(Tables& tables) {
    device_plan_ = {};
    for (const auto& level : plan_.levels) {
      device_plan_.levels.push_back({{level.width, level.height},
                                     tables.put(level.across),
                                     tables.put(level.down),
                                     tables.put(level.coarse_across),
                                     tables.put(level.coarse_down)});
    }
    device_plan_.first_across = tables.put(plan_.first_across);
    device_plan_.first_down = tables.put(plan_.first_down);
    device_plan_.first_factor = plan_.first_factor;
    device_plan_.enlarge = plan_.enlarge;
    device_plan_.iterations = plan_.iterations;
    device_plan_.poly_n = plan_.poly_n;
    device_plan_.radius = plan_.radius;
    device_plan_.g = plan_.g.data();
    device_plan_.xg = plan_.xg.data();
    device_plan_.xxg = plan_.xxg.data();
    device_plan_.window = plan_.window.empty() ? nullptr : plan_.window.data();
    device_plan_.box_weight = plan_.box_weight;
    device_plan_.scale = plan_.scale;
    pictures_.clear();
    pair_slots_.clear();
    for (const auto& chunk : chunks_) {
      pictures_.push_back(tables.put(chunk.pictures));
      pair_slots_.push_back(tables.put(chunk.pair_slots));
    }
  }

  std::vector<at::Tensor> frames_;
  FlowResult result_;
  int bins_;
  int64_t height_, width_;
  bool colour_;
  int64_t pairs_;
  at::Tensor guess_;
  FarnebackPlan plan_;
  std::vector<Chunk> chunks_;
  // In the tables on the device:
  DevicePlan device_plan_;
  std::vector<const uint8_t* const*> pictures_;  // by chunk
  std::vector<const SlotPair*> pair_slots_;      // by chunk
};

}  // namespace

at::Tensor farneback_in_chunks(std::vector<at::Tensor> frames, const FlowOptions& options,
                               FlowResult result, int64_t bins, const FarnebackRunner& run) {
  return Batch(std::move(frames), options, result, bins).run(options, run);
}

at::Tensor farneback_on_cuda(const char* function, const std::vector<at::Tensor>& frames,
                             const FlowOptions& options, FlowResult result, int64_t bins) {
  for (const auto& tensor : frames) {
    VMR_CHECK(tensor.defined() && tensor.scalar_type() == at::kByte &&
                  (tensor.dim() == 3 || (tensor.dim() == 4 && tensor.size(3) == 3)),
              function, ": expected uint8 frames [n, h, w] or [n, h, w, 3], got ",
              describe(tensor));
    VMR_CHECK(tensor.device() == frames[0].device(), function,
              ": expected all frames on one device, got ", describe(frames[0]), " and ",
              describe(tensor));
    check_flow_size(tensor, function);
  }
  VMR_CHECK(frames.size() == 1 || frames[0].sizes() == frames[1].sizes(), function,
            ": expected as many frames of one size in from and to, got ", frames[0].sizes(),
            " and ", frames.back().sizes());
  VMR_CHECK(options.method == FlowMethod::farneback, function,
            ": frames on a CUDA device need FlowMethod::farneback; move them to the CPU for the"
            " other methods");
  const c10::DeviceGuard guard(frames[0].device());
  return farneback_in_chunks(
      frames, options, result, bins, [&](const DevicePlan& plan, const FarnebackWork& work) {
        VMR_CUDA_CALL(
            function,
            launch_farneback(plan, work, vmr::detail::current_cuda_stream(frames[0].get_device())));
      });
}

}  // namespace vmr::video::detail
