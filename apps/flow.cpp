// vmr flow: how much a film moves, over time.
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/plots.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string file, method = "farneback", size = "320x240", plot;
  double fps = 3, max_seconds = 0;
};

int run(const Options& options) {
  pipeline::ExtractRecipe recipe;
  auto& flow = recipe.flow.emplace();
  flow.method = pipeline::parse_flow_method(options.method);
  flow.fps = options.fps;
  flow.max_seconds = options.max_seconds;
  long width = 0, height = 0;
  char rest = 0;
  VMR_CHECK(std::sscanf(options.size.c_str(), "%ldx%ld%c", &width, &height, &rest) == 2 &&
                width >= 16 && height >= 16 && width <= 8192 && height <= 8192,
            "flow: --size: expected WIDTHxHEIGHT from 16 to 8192 pixels like 320x240, got ",
            options.size);
  VMR_CHECK(options.fps > 0, "flow: --fps: expected a positive rate, got ", options.fps);
  flow.width = width;
  flow.height = height;
  require_writable("--plot", options.plot);
  const auto extracted = pipeline::extract_film(options.file, recipe, control().stop);
  warn(extracted.problems);
  const auto& track = extracted.tracks.front().second;
  std::vector<double> seconds, values;
  for (int64_t row = 0; row < track.times.size(); ++row) {
    seconds.push_back(track.times.at(row).start_seconds);
    values.push_back(double(track.values.const_data_ptr<float>()[row]));
  }
  if (options.common.json) {
    print_json({{"times_seconds", seconds}, {"mean_magnitude_pixels", values}});
  } else {
    for (size_t i = 0; i < seconds.size(); ++i) std::printf("%.3f %.4f\n", seconds[i], values[i]);
  }
  std::vector<ItemFailure> failures;
  write_output(options.plot, failures, [&] {
    pipeline::write_curve_plot(options.plot, "Optical flow", "pixels", seconds, values);
  });
  return report_failures(failures, 1);
}

}  // namespace

Command add_flow(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "flow", "mean optical flow magnitude (pixels between kept frames) of a film over time");
  add_common(*app, options->common);
  app->add_option("file", options->file, "film")->required();
  app->add_option("--method", options->method,
                  "farneback, farneback_opencv, dis_ultrafast, dis_fast or dis_medium")
      ->capture_default_str();
  app->add_option("--fps", options->fps, "frames kept a second")->capture_default_str();
  app->add_option("--size", options->size, "WIDTHxHEIGHT in pixels, resized bilinearly")
      ->capture_default_str();
  app->add_option("--max-seconds", options->max_seconds, "beginning of the film; 0 = all")
      ->capture_default_str();
  app->add_option("--plot", options->plot, "write the curve to this SVG file");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
