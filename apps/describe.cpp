// vmr describe: one feature of one file.
#include "vmr/pipeline/describe.h"

#include <ATen/core/Tensor.h>

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/plots.h"
#include "vmr/store/npy.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string file, feature, out, plot;
};

// One value a row as a curve over time.
void write_plot(const FeatureTrack& track, const Options& options) {
  const auto rows = track.values.size(0);
  VMR_CHECK(rows > 0 && track.values.numel() == rows,
            "describe: --plot draws features of one "
            "value a row; ",
            options.feature, " has rows of ", rows > 0 ? track.values.numel() / rows : 0,
            "; write --out F.csv or F.npy");
  const auto values = track.values.flatten().to(at::kDouble).contiguous();
  std::vector<double> seconds, heights;
  for (int64_t row = 0; row < rows; ++row) {
    seconds.push_back(track.times.at(row).start_seconds);
    heights.push_back(values.const_data_ptr<double>()[row]);
  }
  pipeline::write_curve_plot(options.plot, options.feature, "", seconds, heights);
}

int run(const Options& options) {
  const auto track = pipeline::describe(options.file, options.feature, control().stop);
  if (options.out.ends_with(".npy")) {
    store::write_npy(options.out, track.values);
  } else if (!options.out.empty()) {
    std::ofstream file(options.out);
    file << pipeline::to_csv(track);
    file.close();
    if (!file)
      throw StoreError("describe: cannot write " + options.out + "; check path and rights");
  }
  if (!options.plot.empty()) write_plot(track, options);
  nlohmann::json document = {{"feature", options.feature},
                             {"shape", track.values.sizes().vec()},
                             {"rows", track.times.size()}};
  if (track.times.size() > 0) {
    document["first_row_seconds"] = {track.times.at(0).start_seconds,
                                     track.times.at(0).end_seconds};
    document["last_row_end_seconds"] = track.times.at(track.times.size() - 1).end_seconds;
  }
  if (!options.out.empty()) document["out"] = options.out;
  if (options.common.json) {
    print_json(document);
  } else if (options.out.empty()) {
    std::cout << pipeline::to_csv(track);
  } else {
    std::cout << options.feature << " " << document["shape"].dump() << " -> " << options.out
              << "\n";
  }
  return kDone;
}

}  // namespace

Command add_describe(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand("describe", "one feature of one file as CSV or .npy");
  add_common(*app, options->common);
  app->add_option("file", options->file, "audio or film file")->required();
  app->add_option("--feature", options->feature, "name, see below")->required();
  app->add_option("--plot", options->plot, "write the curve to this SVG file (one value a row)");
  app->add_option("--out", options->out, "F.npy or F.csv; without it CSV goes to stdout");
  std::string footer = "Features:";
  for (const auto& [name, text] : pipeline::describable_features()) {
    footer += "\n  " + name + ": " + text;
  }
  app->footer(footer);
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
