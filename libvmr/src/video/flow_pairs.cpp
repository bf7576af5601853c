#include "video/flow_pairs.h"

#include <opencv2/core.hpp>
#include <opencv2/video/tracking.hpp>

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

// A new field each time: OpenCV takes a field it is given as a first guess.
cv::Mat flow_between(const cv::Mat& from, const cv::Mat& to, const FlowOptions& options) {
  cv::Mat flow;
  if (options.method == FlowMethod::farneback) {
    const FarnebackOptions& f = options.farneback;
    cv::calcOpticalFlowFarneback(from, to, flow, f.pyramid_scale, f.levels, f.window, f.iterations,
                                 f.poly_n, f.poly_sigma,
                                 f.gaussian ? cv::OPTFLOW_FARNEBACK_GAUSSIAN : 0);
  } else {
    cv::DISOpticalFlow::create(dis_preset(options.method))->calc(from, to, flow);
  }
  return flow;
}

}  // namespace

void flow_of_pairs(const at::Tensor& grey, const std::vector<FramePair>& pairs,
                   const FlowOptions& options, const FlowSink& sink) {
  const auto height = static_cast<int>(grey.size(1)), width = static_cast<int>(grey.size(2));
  const auto* data = grey.const_data_ptr<uint8_t>();
  const auto frame = [&](int64_t index) {
    return cv::Mat(height, width, CV_8UC1,
                   const_cast<uint8_t*>(data + index * grey.size(1) * grey.size(2)));
  };
  for_each_item(static_cast<int64_t>(pairs.size()), options.threads, [&](int64_t i) {
    cv::Mat flow;
    try {
      flow = flow_between(frame(pairs[i].first), frame(pairs[i].second), options);
    } catch (const cv::Exception& error) {
      throw InvalidArgument(vmr::detail::concat(
          "optical_flow: OpenCV cannot compute this method on ", height, " x ", width,
          " frames: ", error.err, "; resize the frames or use farneback"));
    }
    VMR_ASSERT(flow.isContinuous() && flow.type() == CV_32FC2, "unexpected flow field");
    sink(i, flow.ptr<float>());
  });
}

}  // namespace vmr::video::detail
