// Why OpenCV's version is called one pair at a time, on the default stream, with a wait on both
// sides (read in the sources of 4.12): filter weights lie in constant memory that all calls of the
// process share and that is rewritten within a call by copies on the default stream, which order
// nothing on LibTorch's streams; and the second frame is read on a stream that waits for an event
// of the default stream, not for the caller's. On the default stream its own streams are ordered.
#include "video/opencv_cuda_flow.h"

#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <opencv2/core/cuda.hpp>
#include <opencv2/core/cuda_stream_accessor.hpp>
#include <opencv2/cudaoptflow.hpp>
#include <opencv2/video/tracking.hpp>

#include "core/dispatch.h"
#include "video/tensor_checks.h"
#include "vmr/core/error.h"

namespace vmr::video::detail {
namespace {

using cv::cuda::GpuMat;

// Radius of the filters that its constant memory has room for.
constexpr int kMaxRadius = 100;

void require_supported(const FarnebackOptions& f, int64_t height, int64_t width) {
  VMR_CHECK(f.poly_n == 5 || f.poly_n == 7,
            "FarnebackOptions: farneback_cudaoptflow takes poly_n 5 or 7, got ", f.poly_n,
            "; use farneback");
  VMR_CHECK(!f.gaussian || f.window / 2 <= kMaxRadius,
            "FarnebackOptions: farneback_cudaoptflow takes Gaussian windows to ",
            2 * kMaxRadius + 1, " pixels, got ", f.window, "; use farneback");
  double scale = 1;
  for (int level = 0; level < f.levels; ++level) {
    scale *= f.pyramid_scale;
    if (std::min(height, width) * scale < 32) break;
    const int blur = static_cast<int>(std::lround((1 / scale - 1) * 2.5)) | 1;
    VMR_CHECK(blur / 2 <= kMaxRadius, "FarnebackOptions: farneback_cudaoptflow takes no level of ",
              scale, " of the full size; use fewer levels, or farneback");
  }
}

// Of one size and one set of options; owns the device memory that pairs share.
class CudaFarneback {
 public:
  CudaFarneback(const FarnebackOptions& f, bool first_guess)
      : flow_(cv::cuda::FarnebackOpticalFlow::create(
            f.levels, f.pyramid_scale, false, f.window, f.iterations, f.poly_n, f.poly_sigma,
            (f.gaussian ? cv::OPTFLOW_FARNEBACK_GAUSSIAN : 0) |
                (first_guess ? cv::OPTFLOW_USE_INITIAL_FLOW : 0))) {}

  // `flow` CV_32FC2 of the frames' size: the first guess where there is one, then the result. What
  // is read must be there: no stream is waited for.
  void calc(const GpuMat& from, const GpuMat& to, GpuMat& flow) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    const void* place = flow.data;
    flow_->calc(from, to, flow, cv::cuda::Stream::Null());
    cv::cuda::Stream::Null().waitForCompletion();
    VMR_ASSERT(flow.data == place && flow.type() == CV_32FC2, "the flow field was moved");
  }

 private:
  cv::Ptr<cv::cuda::FarnebackOpticalFlow> flow_;
};

template <typename Call>
void with_cuda_errors(Call call) {
  try {
    call();
  } catch (const cv::Exception& error) {
    throw CudaError("optical_flow: OpenCV's cudaoptflow failed: " + error.err);
  }
}

}  // namespace

void cudaoptflow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                          const FlowOptions& options, const at::Tensor& first_guess,
                          const FlowSink& sink) {
  const auto height = static_cast<int>(grey.size(1)), width = static_cast<int>(grey.size(2));
  require_supported(options.farneback, height, width);
  if (cv::cuda::getCudaEnabledDeviceCount() <= 0) {
    throw CudaError("optical_flow: farneback_cudaoptflow found no CUDA device; use farneback");
  }
  const int64_t pixels = grey.size(1) * grey.size(2);
  const auto* data = grey.const_data_ptr<uint8_t>();
  const auto frame = [&](int64_t index) {
    return cv::Mat(height, width, CV_8UC1, const_cast<uint8_t*>(data + index * pixels));
  };
  CudaFarneback farneback(options.farneback, first_guess.defined());
  std::vector<float> field(static_cast<size_t>(2 * pixels));
  const Planes planes{field.data(), grey.size(2), kFlowPlanes};
  cv::Mat host(height, width, CV_32FC2);
  GpuMat from, to, flow(height, width, CV_32FC2);
  for (size_t i = 0; i < pairs.size(); ++i) {
    with_cuda_errors([&] {
      from.upload(frame(pairs[i].first));
      to.upload(frame(pairs[i].second));
      if (first_guess.defined()) {
        const float* guess =
            first_guess.const_data_ptr<float>() + static_cast<int64_t>(i) * 2 * pixels;
        auto* values = host.ptr<float>();
        for (int64_t p = 0; p < pixels; ++p) {
          values[2 * p] = guess[p];
          values[2 * p + 1] = guess[pixels + p];
        }
        flow.upload(host);
      }
      farneback.calc(from, to, flow);
      flow.download(host);
    });
    for (int y = 0; y < height; ++y) {
      const auto* row = host.ptr<float>(y);
      float *u = planes.row(y, 0), *v = planes.row(y, 1);
      for (int x = 0; x < width; ++x) {
        u[x] = row[2 * x];
        v[x] = row[2 * x + 1];
      }
    }
    sink(static_cast<int64_t>(i), planes);
  }
}

at::Tensor cudaoptflow_between(const char* function, const at::Tensor& from, const at::Tensor& to,
                               const FlowOptions& options) {
  for (const at::Tensor& frames : {from, to}) {
    VMR_CHECK(frames.defined() && frames.is_cuda() && frames.scalar_type() == at::kByte &&
                  frames.dim() == 3,
              function, ": expected grey uint8 frames [n, h, w] on a CUDA device, got ",
              describe(frames));
    check_flow_size(frames, function);
  }
  VMR_CHECK(from.sizes() == to.sizes() && from.device() == to.device(), function,
            ": expected as many frames of one size on one device, got ", describe(from), " and ",
            describe(to));
  const int64_t count = from.size(0), pixels = from.size(1) * from.size(2);
  const auto height = static_cast<int>(from.size(1)), width = static_cast<int>(from.size(2));
  require_supported(options.farneback, height, width);
  const at::Tensor guess = require_first_guess(from, count, options);
  const c10::DeviceGuard device(from.device());
  const at::Tensor first = from.contiguous(), second = to.contiguous();
  const at::Tensor fields =
      guess.defined() ? guess.permute({0, 2, 3, 1}).clone(at::MemoryFormat::Contiguous)
                      : at::empty({count, height, width, 2}, from.options().dtype(at::kFloat));
  with_cuda_errors([&] {
    auto* const current = vmr::detail::current_cuda_stream(from.device().index());
    cv::cuda::StreamAccessor::wrapStream(static_cast<cudaStream_t>(current)).waitForCompletion();
    CudaFarneback farneback(options.farneback, guess.defined());
    const auto frame = [&](const at::Tensor& frames, int64_t i) {
      return GpuMat(height, width, CV_8UC1,
                    const_cast<uint8_t*>(frames.const_data_ptr<uint8_t>()) + i * pixels);
    };
    for (int64_t i = 0; i < count; ++i) {
      GpuMat flow(height, width, CV_32FC2, fields.mutable_data_ptr<float>() + i * 2 * pixels);
      farneback.calc(frame(first, i), frame(second, i), flow);
    }
  });
  return fields.permute({0, 3, 1, 2}).contiguous();
}

}  // namespace vmr::video::detail
