// vmr beats: tempo and beats of a file's sound.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "backends.h"
#include "shared.h"
#include "vmr/audio/beat.h"
#include "vmr/media/decode.h"
#include "vmr/pipeline/plots.h"
#include "vmr/pipeline/recipe.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string file, method = "tracker", plot;
  double rate_hz = 16000;
};

void print(const audio::BeatResult& result, const Options& options) {
  if (options.common.json) {
    print_json({{"tempo_bpm", result.tempo_bpm},
                {"beats_seconds", result.beats_seconds},
                {"method", options.method}});
    return;
  }
  std::printf("%.2f BPM, %s (%s)\n", result.tempo_bpm,
              counted(int64_t(result.beats_seconds.size()), "beat").c_str(),
              options.method.c_str());
  for (const double seconds : result.beats_seconds) std::printf("%.3f\n", seconds);
}

int run(const Options& options) {
  audio::BeatOptions beats;
  beats.method = pipeline::parse_beat_method(options.method);
  beats.rate_hz = options.rate_hz;
  beats.external = aubio_backend();
  require_writable("--plot", options.plot);
  media::DecodePlan plan;
  plan.audio.emplace().rate_hz = options.rate_hz;
  const auto decoded = media::decode(options.file, plan, control().stop);
  warn(decoded.problems);
  const auto result = audio::track_beats(decoded.audio->samples[0].contiguous(), beats);
  print(result, options);
  std::vector<ItemFailure> failures;
  write_output(options.plot, failures, [&] { pipeline::write_beat_plot(options.plot, result); });
  return report_failures(failures, 1);
}

}  // namespace

Command add_beats(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app =
      root.add_subcommand("beats", "tempo (BPM) and beat times (seconds) of a file's sound");
  add_common(*app, options->common);
  app->add_option("file", options->file, "audio or film file")->required();
  app->add_option("--method", options->method,
                  "tracker (whole song), reference (librosa 0.9) or aubio")
      ->capture_default_str();
  app->add_option("--rate", options->rate_hz, "analysis rate in Hz")->capture_default_str();
  app->add_option("--plot", options->plot, "write onset strength and beats to this SVG file");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
