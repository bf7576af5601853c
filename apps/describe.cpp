// vmr describe: one feature of one file.
#include "vmr/pipeline/describe.h"

#include <ATen/core/Tensor.h>

#include <fstream>
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

// What can be written, said before the work.
void validate(const Options& options) {
  VMR_CHECK(options.out.empty() || options.out.ends_with(".npy") || options.out.ends_with(".csv"),
            "--out ", options.out, ": expected a name in .npy or .csv");
  require_writable("--out", options.out, {options.file});
  require_plot(options.plot);
}

std::vector<double> doubles(const at::Tensor& values) {
  const auto flat = values.flatten().to(at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

// Moments as marks, one value a row as a curve over time.
void write_plot(const FeatureTrack& track, const Options& options) {
  if (pipeline::is_moments(track)) {
    return pipeline::write_moments_plot(options.plot, options.feature, doubles(track.values));
  }
  const auto rows = track.values.size(0);
  VMR_CHECK(rows > 0 && track.values.numel() == rows, "--plot draws features of one value a row; ",
            options.feature, " has rows of ", rows > 0 ? track.values.numel() / rows : 0,
            "; write --out F.csv or F.npy");
  std::vector<double> seconds;
  for (int64_t row = 0; row < rows; ++row) {
    seconds.push_back(track.times.at(row).start_seconds);
  }
  pipeline::write_curve_plot(options.plot, options.feature, "", seconds, doubles(track.values));
}

void write_values(const FeatureTrack& track, const std::string& out) {
  if (out.ends_with(".npy")) return store::write_npy(out, track.values);
  std::ofstream file(out);
  file << pipeline::to_csv(track);
  file.close();
  if (!file) throw StoreError("cannot write " + out + "; check path and rights");
}

// With the values, flat in the order of `shape`, unless they go to a file.
nlohmann::json to_json(const FeatureTrack& track, const Options& options) {
  nlohmann::json document = {{"feature", options.feature},
                             {"shape", track.values.sizes().vec()},
                             {"rows", track.times.size()}};
  if (track.times.size() > 0) {
    document["first_row_seconds"] = {track.times.at(0).start_seconds,
                                     track.times.at(0).end_seconds};
    document["last_row_end_seconds"] = track.times.at(track.times.size() - 1).end_seconds;
  }
  if (options.out.empty()) {
    const auto columns = track.times.size() > 0 ? track.values.numel() / track.times.size() : 0;
    VMR_CHECK(columns <= 4096, "rows of ", columns,
              " values are too long for JSON; write --out F.npy");
    document["values"] = doubles(track.values);
  } else {
    document["out"] = options.out;
  }
  return document;
}

int run(const Options& options) {
  validate(options);
  const auto [track, problems] = pipeline::describe(options.file, options.feature, control().stop);
  warn(problems);
  if (!options.out.empty()) write_values(track, options.out);
  if (options.common.json) {
    print_json(to_json(track, options));
  } else if (options.out.empty()) {
    std::cout << pipeline::to_csv(track);
  } else {
    std::cout << options.feature << " " << nlohmann::json(track.values.sizes().vec()).dump()
              << " -> " << options.out << "\n";
  }
  std::vector<ItemFailure> failures;
  write_output(options.plot, failures, [&] { write_plot(track, options); });
  return report_failures(failures, 1);
}

}  // namespace

Command add_describe(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand("describe", "one feature of one file as CSV or .npy");
  add_common(*app, options->common);
  app->add_option("file", options->file, "audio or film file")->required();
  app->add_option("--feature", options->feature, "name, see below")->required();
  app->add_option("--plot", options->plot,
                  "write a curve (one value a row) or marks (beats, cuts) to this SVG file");
  app->add_option("--out", options->out,
                  "F.npy or F.csv; without it CSV (with --json the values too) goes to stdout");
  std::string footer = "Features:";
  for (const auto& [name, text] : pipeline::describable_features()) {
    footer += "\n  " + name + ": " + text;
  }
  add_footer(*app, footer);
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
