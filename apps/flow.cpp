// vmr flow: how much a film moves, over time.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/media/frame_archive.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/motion_trajectory.h"
#include "vmr/pipeline/plots.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string file, method = "farneback", size = "320x240", plot;
  double fps = 3, max_seconds = 0;
};

struct Curve {
  std::vector<double> seconds, pixels;
  std::optional<double> covered;  // of motion vectors
};

constexpr const char* kMotionVectors = "motion_vectors";
constexpr double kMaxFps = 10000;
constexpr int kMostDecoderThreads = 16;  // each holds a frame; FFmpeg's own choice ends there too

Curve from_motion_vectors(const Options& options, int64_t width, int64_t height) {
  const int threads = std::min(thread_count(options.common), kMostDecoderThreads);
  const auto found = pipeline::read_motion_trajectory(
      options.file, {options.fps, height, width, options.max_seconds, threads}, control().stop);
  warn(found.problems);
  return {found.seconds, {found.magnitudes.begin(), found.magnitudes.end()}, found.covered};
}

video::FlowMethod method_of(const std::string& name) {
  try {
    return pipeline::parse_flow_method(name);
  } catch (const InvalidArgument& error) {
    throw InvalidArgument(std::string(error.what()) + "; or " + kMotionVectors +
                          ", the codec's own");
  }
}

Curve from_frames(const Options& options, int64_t width, int64_t height) {
  pipeline::ExtractRecipe recipe;
  recipe.flow = {method_of(options.method), options.fps, height, width, options.max_seconds};
  const auto extracted = pipeline::extract_film(options.file, recipe, control().stop);
  warn(extracted.problems);
  const auto& track = extracted.tracks.front().second;
  Curve curve;
  for (int64_t row = 0; row < track.times.size(); ++row) {
    curve.seconds.push_back(track.times.at(row).start_seconds);
    curve.pixels.push_back(double(track.values.const_data_ptr<float>()[row]));
  }
  return curve;
}

int run(const Options& options) {
  long width = 0, height = 0;
  char rest = 0;
  VMR_CHECK(std::sscanf(options.size.c_str(), "%ldx%ld%c", &width, &height, &rest) == 2 &&
                width >= 16 && height >= 16 && width <= 8192 && height <= 8192,
            "flow: --size: expected WIDTHxHEIGHT from 16 to 8192 pixels like 320x240, got ",
            options.size);
  VMR_CHECK(options.fps > 0 && options.fps <= kMaxFps, "flow: --fps: expected more than 0, up to ",
            kMaxFps, " frames/s, got ", options.fps);
  VMR_CHECK(options.max_seconds >= 0 && std::isfinite(options.max_seconds),
            "flow: --max-seconds: expected 0 or more, got ", options.max_seconds);
  VMR_CHECK(!media::is_frame_archive(options.file), "flow: ", options.file,
            " is an archive of pictures, which know no times; give the film itself");
  VMR_CHECK(!options.common.device.starts_with("cuda"),
            "flow: --device: the flow of a film is computed on the CPU, got ",
            options.common.device, "; optical_flow() of the library takes frames on a device");
  require_plot(options.plot);
  const auto curve = options.method == kMotionVectors ? from_motion_vectors(options, width, height)
                                                      : from_frames(options, width, height);
  if (options.common.json) {
    nlohmann::json document = {{"times_seconds", curve.seconds},
                               {"mean_magnitude_pixels", curve.pixels},
                               {"method", options.method},
                               {"fps", options.fps},
                               {"size", options.size}};
    if (curve.covered) document["covered"] = *curve.covered;
    print_json(document);
  } else {
    for (size_t i = 0; i < curve.seconds.size(); ++i) {
      std::printf("%.3f %.4f\n", curve.seconds[i], curve.pixels[i]);
    }
  }
  std::vector<ItemFailure> failures;
  write_output(options.plot, failures, [&] {
    pipeline::write_curve_plot(options.plot, "Optical flow", "pixels", curve.seconds, curve.pixels);
  });
  return report_failures(failures, 1);
}

}  // namespace

Command add_flow(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "flow", "mean optical flow magnitude (pixels between kept frames) of a film over time");
  add_common(*app, options->common);
  app->add_option("file", options->file, "film")->required()->check(not_empty());
  app->add_option("--method", options->method,
                  "farneback, farneback_opencv, farneback_cudaoptflow, dis_ultrafast, dis_fast,\n"
                  "dis_medium, or motion_vectors: the codec's own, at the speed of decoding")
      ->capture_default_str();
  app->add_option("--fps", options->fps, "frames kept a second")->capture_default_str();
  app->add_option("--size", options->size, "WIDTHxHEIGHT in pixels, resized bilinearly")
      ->capture_default_str();
  app->add_option("--max-seconds", options->max_seconds, "beginning of the film; 0 = all")
      ->capture_default_str();
  app->add_option("--plot", options->plot, "write the curve to this SVG file");
  add_footer(*app,
             "A value is the motion since the frame kept before: the first one repeats the second, "
             "and a picture\nthat is still shown counts 0. --threads is of the decoder for "
             "motion_vectors; the other methods use one.");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
