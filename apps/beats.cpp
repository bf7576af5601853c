// vmr beats: tempo and beats of a file's sound.
#include <cstdio>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "backends.h"
#include "shared.h"
#include "vmr/audio/beat.h"
#include "vmr/media/audio_reader.h"
#include "vmr/pipeline/plots.h"
#include "vmr/pipeline/recipe.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string file, method = "tracker", plot;
  double rate_hz = 16000;
};

int run(const Options& options) {
  audio::BeatOptions beats;
  beats.method = pipeline::parse_beat_method(options.method);
  beats.rate_hz = options.rate_hz;
  beats.external = aubio_backend();
  media::AudioOptions audio_options;
  audio_options.rate_hz = options.rate_hz;
  const auto sound = media::read_audio(options.file, audio_options, control().stop);
  const auto result = audio::track_beats(sound.samples[0].contiguous(), beats);
  if (!options.plot.empty()) pipeline::write_beat_plot(options.plot, result);
  if (options.common.json) {
    print_json({{"tempo_bpm", result.tempo_bpm},
                {"beats_seconds", result.beats_seconds},
                {"method", options.method}});
    return kDone;
  }
  std::printf("%.2f BPM, %zu beats (%s)\n", result.tempo_bpm, result.beats_seconds.size(),
              options.method.c_str());
  for (const double seconds : result.beats_seconds) std::printf("%.3f\n", seconds);
  return kDone;
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
