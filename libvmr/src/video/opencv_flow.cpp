// OpenCV's methods of optical flow.
#include <opencv2/core.hpp>
#include <opencv2/video/tracking.hpp>

#include "video/flow_pairs.h"
#include "vmr/core/error.h"
#include "vmr/core/parallel.h"

namespace vmr::video::detail {
namespace {

int dis_preset(FlowMethod method) {
  switch (method) {
    case FlowMethod::dis_ultrafast:
      return cv::DISOpticalFlow::PRESET_ULTRAFAST;
    case FlowMethod::dis_fast:
      return cv::DISOpticalFlow::PRESET_FAST;
    default:
      return cv::DISOpticalFlow::PRESET_MEDIUM;
  }
}

// `flow` is empty, or the first guess.
void flow_between(const cv::Mat& from, const cv::Mat& to, const FlowOptions& options,
                  cv::Mat& flow) {
  if (options.method == FlowMethod::farneback_opencv) {
    const FarnebackOptions& f = options.farneback;
    const int flags = (f.gaussian ? cv::OPTFLOW_FARNEBACK_GAUSSIAN : 0) |
                      (flow.empty() ? 0 : cv::OPTFLOW_USE_INITIAL_FLOW);
    cv::calcOpticalFlowFarneback(from, to, flow, f.pyramid_scale, f.levels, f.window, f.iterations,
                                 f.poly_n, f.poly_sigma, flags);
  } else {
    cv::DISOpticalFlow::create(dis_preset(options.method))->calc(from, to, flow);
  }
}

}  // namespace

void opencv_flow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                          const FlowOptions& options, const at::Tensor& first_guess,
                          const FlowSink& sink) {
  const auto height = static_cast<int>(grey.size(1)), width = static_cast<int>(grey.size(2));
  const int64_t pixels = grey.size(1) * grey.size(2);
  const auto* data = grey.const_data_ptr<uint8_t>();
  const auto frame = [&](int64_t index) {
    return cv::Mat(height, width, CV_8UC1, const_cast<uint8_t*>(data + index * pixels));
  };
  for_each_item(static_cast<int64_t>(pairs.size()), options.threads, [&](int64_t i) {
    cv::Mat flow;
    if (first_guess.defined()) {
      auto* guess = const_cast<float*>(first_guess.const_data_ptr<float>()) + i * 2 * pixels;
      cv::merge(std::vector<cv::Mat>{cv::Mat(height, width, CV_32FC1, guess),
                                     cv::Mat(height, width, CV_32FC1, guess + pixels)},
                flow);
    }
    try {
      flow_between(frame(pairs[i].first), frame(pairs[i].second), options, flow);
    } catch (const cv::Exception& error) {
      throw InvalidArgument(vmr::detail::concat(
          "optical_flow: OpenCV cannot compute this method on ", height, " x ", width,
          " frames: ", error.err, "; resize the frames or use farneback"));
    }
    VMR_ASSERT(flow.isContinuous() && flow.type() == CV_32FC2, "unexpected flow field");
    std::vector<float> field(static_cast<size_t>(2 * pixels));
    const Planes planes{field.data(), grey.size(2), kFlowPlanes};
    for (int y = 0; y < height; ++y) {
      const auto* row = flow.ptr<float>(y);
      float *u = planes.row(y, 0), *v = planes.row(y, 1);
      for (int x = 0; x < width; ++x) {
        u[x] = row[2 * x];
        v[x] = row[2 * x + 1];
      }
    }
    sink(i, planes);
  });
}

}  // namespace vmr::video::detail
