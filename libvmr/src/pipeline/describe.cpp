#include "vmr/pipeline/describe.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <sstream>

#include "vmr/audio/fbank.h"
#include "vmr/audio/log_mel.h"
#include "vmr/audio/onset.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/core/json_reader.h"
#include "vmr/media/decode.h"
#include "vmr/pipeline/extraction.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr double kRateHz = 16000;

struct Sound {
  at::Tensor samples;  // [samples]
  std::vector<std::string> problems;
};

Sound read_sound(const fs::path& file, std::stop_token stop) {
  media::DecodePlan plan;
  plan.audio.emplace().rate_hz = kRateHz;
  auto decoded = media::decode(file, plan, stop);
  return {decoded.audio->samples[0].contiguous(), std::move(decoded.problems)};
}

// Frames that are `hop` samples apart and `width` long, the first one starting at `start` seconds.
FeatureTrack framed(at::Tensor values, const char* name, double start, double hop, double width,
                    const fs::path& file) {
  const auto times = RowTimes::regular(values.size(0), start, hop / kRateHz, width / kRateHz);
  return {values.contiguous(), times, {name, "1", "{}", "", hash_file(file)}};
}

FeatureTrack describe_fbank(const at::Tensor& sound, const fs::path& file) {
  return framed(audio::fbank(sound), "fbank", 0, 160, 400, file);
}

FeatureTrack describe_log_mel(const at::Tensor& sound, const fs::path& file) {
  audio::LogMelOptions options;
  options.rate_hz = kRateHz;
  const auto mel = audio::log_mel(sound.unsqueeze(0), options)[0].t();
  // Centre padding: frame t is centred on sample t * hop.
  const double half = double(options.window_samples) / 2 / kRateHz;
  return framed(mel, "log_mel", -half, double(options.hop_samples), double(options.window_samples),
                file);
}

FeatureTrack describe_onset(const at::Tensor& sound, const fs::path& file) {
  audio::OnsetOptions options;
  options.rate_hz = kRateHz;
  const auto onset = audio::onset_strength(sound, options);
  return framed(onset, "onset", 0, double(options.hop_samples), double(options.hop_samples), file);
}

// Features that extraction makes, with the recipe that makes just them.
ExtractRecipe recipe_for(const std::string& feature) {
  ExtractRecipe recipe;
  if (feature == "beats" || feature == "down_beats") recipe.beats.emplace();
  recipe.down_beats = feature == "down_beats";
  recipe.energy = feature == "energy";
  recipe.sections = feature == "sections";
  if (feature == "rhythm" || feature == "rhythm_measures") recipe.rhythm.emplace();
  if (feature == "fbank_clips") recipe.fbank.emplace();
  if (feature == "grey_clips") recipe.grey_clips = true;
  if (feature == "clip_flow_measures") recipe.clip_flow.emplace();
  if (feature == "flow" || feature == "cuts") {
    recipe.flow.emplace();
    recipe.cuts = feature == "cuts";
  }
  return recipe;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describable_features() {
  return {{"fbank", "Kaldi filter bank of the sound at 16 kHz, [frames, 80], natural log"},
          {"log_mel", "mel spectrogram as librosa's, [frames, 128], decibel"},
          {"onset", "onset strength, [frames], decibel a frame"},
          {"beats", "beat times, [beats], seconds"},
          {"down_beats", "beats that begin a bar, [bars], seconds"},
          {"energy", "root mean square at 10 Hz, [values], decibel"},
          {"sections", "strength of each section change, [changes], rows at the changes"},
          {"rhythm_measures", "beats, strength, interval of each 4 s clip, [clips, 3]"},
          {"rhythm", "their classes, [clips, 3]"},
          {"fbank_clips", "filter bank of each 4 s clip, [clips, 398, 80]"},
          {"grey_clips", "grey frames of each 4 s clip side by side, [clips, 224, 896]"},
          {"clip_flow_measures", "mean flow magnitude of each 4 s clip, [clips], pixels"},
          {"flow", "flow magnitude at 3 frames/s and 320x240, [frames], pixels"},
          {"cuts", "times of hard cuts, [cuts], seconds"}};
}

Description describe(const fs::path& file, const std::string& feature, std::stop_token stop) {
  std::vector<std::string> names;
  for (const auto& [name, text] : describable_features()) names.push_back(name);
  if (std::find(names.begin(), names.end(), feature) == names.end()) {
    const auto near = nearest_name(feature, names);
    std::string known;
    for (const auto& name : names) known += (known.empty() ? "" : ", ") + name;
    throw InvalidArgument("describe: unknown feature \"" + feature + "\"" +
                          (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                          " (known: " + known + ")");
  }
  using Make = FeatureTrack (*)(const at::Tensor&, const fs::path&);
  constexpr std::pair<const char*, Make> kOfSound[] = {
      {"fbank", describe_fbank}, {"log_mel", describe_log_mel}, {"onset", describe_onset}};
  for (const auto& [name, make] : kOfSound) {
    if (feature != name) continue;
    auto sound = read_sound(file, stop);
    return {make(sound.samples, file), std::move(sound.problems)};
  }
  const auto recipe = recipe_for(feature);
  const bool film = !planned_features("film", recipe).empty();
  auto extracted = film ? extract_film(file, recipe, stop) : extract_music(file, recipe, {}, stop);
  for (auto& [name, track] : extracted.tracks) {
    if (name == feature || (name == "fbank" && feature == "fbank_clips")) {
      return {std::move(track), std::move(extracted.problems)};
    }
  }
  VMR_ASSERT(false, "extraction did not make ", feature);
}

bool is_moments(const FeatureTrack& track) {
  if (track.values.dim() != 1 || track.values.scalar_type() != at::kDouble) return false;
  for (int64_t row = 0; row < track.times.size(); ++row) {
    const auto time = track.times.at(row);
    if (time.start_seconds != time.end_seconds) return false;
  }
  return true;
}

std::string to_csv(const FeatureTrack& track) {
  const auto rows = track.values.size(0);
  const auto values = track.values.reshape({rows, rows == 0 ? 1 : -1}).to(at::kDouble).contiguous();
  const auto columns = values.size(1);
  VMR_CHECK(columns <= 4096, "to_csv: rows of ", columns, " values; write .npy instead");
  std::ostringstream out;
  out.precision(9);
  const bool moments = is_moments(track);
  out << (moments ? "seconds" : "start_seconds,end_seconds");
  if (!moments) {
    for (int64_t column = 0; column < columns; ++column) out << ",v" << column;
  }
  out << "\n";
  const auto* value = values.const_data_ptr<double>();
  for (int64_t row = 0; row < rows; ++row) {
    const auto time = track.times.at(row);
    out << time.start_seconds;
    if (!moments) out << "," << time.end_seconds;
    for (int64_t column = 0; !moments && column < columns; ++column) out << "," << *value++;
    out << "\n";
  }
  return out.str();
}

}  // namespace vmr::pipeline
