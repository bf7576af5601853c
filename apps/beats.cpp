// vmr beats: tempo and beats of a file's sound.
#include <ATen/ops/cat.h>

#include <filesystem>
#include <iostream>
#include <memory>

#include "backends.h"
#include "beats_output.h"
#include "editor_options.h"
#include "shared.h"
#include "vmr/audio/beat.h"
#include "vmr/audio/beat_stream.h"
#include "vmr/media/audio_blocks.h"
#include "vmr/media/decode.h"
#include "vmr/pipeline/markers.h"
#include "vmr/pipeline/plots.h"
#include "vmr/pipeline/recipe.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::string file, method = "tracker", plot, markers;
  pipeline::MarkerFileOptions marker_file;
  double rate_hz = 16000;
  bool stream = false;
  double latency_seconds = 0.5;
};

audio::BeatStreamOptions stream_options(const Options& options) {
  return {.rate_hz = options.rate_hz, .latency_seconds = options.latency_seconds};
}

// What was heard of a file, with the length of its sound.
struct Heard {
  audio::BeatResult beats;
  double seconds = 0;
};

// The beats of a stream in the form of a song's. Tempo, bar and tempi are those of the last beat,
// the confidence is the mean of all. The sound comes in blocks; a plot needs all of it.
Heard hear_stream(const Options& options) {
  audio::BeatStream stream(stream_options(options));
  std::vector<audio::StreamBeat> beats;
  std::vector<at::Tensor> kept;
  const auto add = [&](const std::vector<audio::StreamBeat>& more) {
    beats.insert(beats.end(), more.begin(), more.end());
  };
  int64_t samples = 0;
  const auto push = [&](const at::Tensor& block) {
    samples += block.size(1);
    add(stream.push(block[0].contiguous()));
    if (!options.plot.empty()) kept.push_back(block[0]);
    return true;
  };
  warn(media::read_audio_blocks(options.file, {.rate_hz = options.rate_hz}, push, control().stop));
  add(stream.flush());
  Heard heard{.seconds = static_cast<double>(samples) / options.rate_hz};
  auto& result = heard.beats;
  for (const auto& beat : beats) {
    result.beats_seconds.push_back(beat.seconds);
    if (beat.down_beat) result.down_beats_seconds.push_back(beat.seconds);
    result.confidence += beat.confidence / static_cast<double>(beats.size());
  }
  if (!beats.empty()) {
    result.tempo_bpm = beats.back().tempo_bpm;
    result.beats_per_bar = beats.back().beats_per_bar;
    result.tempi = beats.back().tempi;
  }
  if (!kept.empty()) {
    result.onset_options.rate_hz = options.rate_hz;
    result.onset = audio::onset_strength(at::cat(kept), result.onset_options);
  }
  return heard;
}

audio::BeatOptions beat_options(const Options& options) {
  audio::BeatOptions beats;
  beats.method = pipeline::parse_beat_method(options.method);
  beats.rate_hz = options.rate_hz;
  beats.external = aubio_backend();
  return beats;
}

Heard hear_song(const Options& options) {
  media::DecodePlan plan;
  plan.audio.emplace().rate_hz = options.rate_hz;
  const auto decoded = media::decode(options.file, plan, control().stop);
  warn(decoded.problems);
  const auto& samples = decoded.audio->samples;
  return {audio::track_beats(samples[0].contiguous(), beat_options(options)),
          static_cast<double>(samples.size(1)) / decoded.audio->rate_hz};
}

void write_markers(const Options& options, const audio::BeatResult& result, double seconds) {
  const pipeline::MusicPlacement alone{.film_duration_seconds = seconds};
  auto file = options.marker_file;
  file.title = std::filesystem::path(options.file).filename().string();
  pipeline::write_markers(
      options.markers,
      pipeline::place_markers(alone, {.beats_seconds = result.beats_seconds,
                                      .down_beats_seconds = result.down_beats_seconds}),
      alone, file);
}

int run(const Options& options) {
  // What is wrong with the options is said before the work.
  options.stream ? audio::validate(stream_options(options))
                 : audio::validate(beat_options(options));
  require_plot(options.plot);
  require_writable("--markers", options.markers, {options.file});
  if (!options.markers.empty()) {
    pipeline::validate_marker_file(options.markers, options.marker_file);
  }
  const auto heard = options.stream ? hear_stream(options) : hear_song(options);
  print_beats(heard.beats, options.stream ? "stream" : options.method, options.common.json);
  std::vector<ItemFailure> failures;
  write_output(options.plot, failures,
               [&] { pipeline::write_beat_plot(options.plot, heard.beats); });
  write_output(options.markers, failures,
               [&] { write_markers(options, heard.beats, heard.seconds); });
  return report_failures(failures, 1);
}

}  // namespace

Command add_beats(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app =
      root.add_subcommand("beats", "tempo (BPM) and beat times (seconds) of a file's sound");
  add_common(*app, options->common);
  app->add_option("file", options->file, "audio or film file")->required();
  auto* method = app->add_option("--method", options->method,
                                 "tracker (whole song), reference (librosa 0.9) or aubio")
                     ->capture_default_str();
  auto* stream = app->add_flag("--stream", options->stream,
                               "as the tracker finds them while the sound comes in");
  stream->excludes(method);
  app->add_option(
         "--latency", options->latency_seconds,
         "with --stream: seconds of sound behind a beat at most when it is decided, 0 to 2")
      ->capture_default_str()
      ->needs(stream);
  app->add_option("--rate", options->rate_hz, "analysis rate in Hz")->capture_default_str();
  app->add_option("--plot", options->plot, "write onset strength and beats to this SVG file");
  add_marker_options(*app, options->markers, options->marker_file);
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
