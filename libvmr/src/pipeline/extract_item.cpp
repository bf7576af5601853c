// Features of one file: one decode, all features of the recipe.
#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "pipeline/extract_film.h"
#include "vmr/audio/clips.h"
#include "vmr/audio/energy.h"
#include "vmr/audio/rhythm.h"
#include "vmr/audio/sections.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/media/decode.h"
#include "vmr/media/frame_archive.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/video/cuts.h"
#include "vmr/video/picture.h"
#include "vmr/video/trajectory.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;
using Planned = std::vector<std::pair<std::string, Provenance>>;

// Small frames for the cut detector: colours and layout, hardly any detail.
constexpr int64_t kCutHeight = 48, kCutWidth = 64;

Provenance provenance(std::string extractor, std::string version, const json& options) {
  return {std::move(extractor), std::move(version), options.dump(), "", ""};
}

const Provenance& find(const Planned& planned, const std::string& name) {
  for (const auto& [feature, value] : planned) {
    if (feature == name) return value;
  }
  VMR_ASSERT(false, "feature ", name, " was not planned");
}

class TrackList {
 public:
  // Requires: the file was decoded, so that a file that is no film has been named as such.
  TrackList(Planned planned, const std::filesystem::path& media) : planned_(std::move(planned)) {
    try {
      media_hash_ = hash_file(media);
    } catch (const StoreError& error) {
      throw MediaError(error.what());
    }
  }

  void add(const std::string& feature, at::Tensor values, RowTimes times) {
    Provenance from = find(planned_, feature);
    from.media_hash = media_hash_;
    tracks_.emplace_back(feature, FeatureTrack{values.contiguous(), std::move(times), from});
  }
  NamedTracks take() { return std::move(tracks_); }

 private:
  Planned planned_;
  std::string media_hash_;
  NamedTracks tracks_;
};

// Moments (beats, cuts) as a track: the values are the seconds, each row an empty interval there.
void add_moments(TrackList& tracks, const std::string& feature,
                 const std::vector<double>& seconds) {
  std::vector<Interval> rows;
  for (const double moment : seconds) rows.push_back({moment, moment});
  tracks.add(feature, at::tensor(seconds, at::kDouble), RowTimes::explicit_rows(std::move(rows)));
}

audio::BeatOptions beat_options(const ExtractRecipe& recipe, audio::BeatMethod method,
                                const audio::ExternalBeatTracker& aubio) {
  audio::BeatOptions options;
  options.method = method;
  options.rate_hz = recipe.rate_hz;
  if (method == audio::BeatMethod::aubio) options.external = aubio;
  return options;
}

// Flow of a film frame by frame, so that a film of any length needs the memory of two frames.
class FlowStream {
 public:
  FlowStream(const ExtractRecipe::Flow& flow, bool keep_small)
      : flow_(flow), keep_small_(keep_small) {
    options_.method = flow.method;
    restart();
  }

  // The film is decoded again from its beginning.
  void restart() {
    stream_ = video::MagnitudeStream(options_);
    small_.clear();
  }

  // The magnitude from the previous frame to this one; 0 for the first.
  at::Tensor push(const at::Tensor& rgb) {
    const auto frame =
        video::resize(rgb, flow_.height, flow_.width, video::ResizeKernel::opencv_bilinear);
    if (keep_small_) {
      small_.push_back(
          video::resize(frame, kCutHeight, kCutWidth, video::ResizeKernel::opencv_area));
    }
    return at::scalar_tensor(stream_.push(frame), at::kFloat);
  }

  // Values by requested time: a frame that is shown twice has not moved.
  static at::Tensor trajectory(const media::Frames& frames) {
    auto values = frames.pixels.to(at::kFloat).contiguous().clone();
    auto* value = values.data_ptr<float>();
    const int64_t count = values.size(0);
    for (int64_t i = 1; i < count; ++i) {
      if (frames.shown_seconds[size_t(i)] == frames.shown_seconds[size_t(i - 1)]) value[i] = 0;
    }
    if (count > 1) value[0] = value[1];
    return values;
  }

  // Times of cuts between the distinct frames that were pushed.
  std::vector<double> cuts(const media::Frames& frames) const {
    std::vector<double> times;
    for (const double seconds : frames.shown_seconds) {
      if (times.empty() || seconds != times.back()) times.push_back(seconds);
    }
    const size_t count = std::min(times.size(), small_.size());
    if (count < 2) return {};
    times.resize(count);
    const std::vector<at::Tensor> small(small_.begin(), small_.begin() + std::ptrdiff_t(count));
    std::vector<double> seconds;
    for (const auto& cut : video::detect_cuts(at::stack(small), times)) {
      seconds.push_back(cut.seconds);
    }
    return seconds;
  }

 private:
  ExtractRecipe::Flow flow_;
  bool keep_small_;
  video::FlowOptions options_;
  video::MagnitudeStream stream_;
  std::vector<at::Tensor> small_;
};

// Measures of the clips [clips, samples], which lie at the beginning of the waveform. Published:
// each clip is tracked alone, padded as the clips are; otherwise the whole song is, cut into clips
// then.
at::Tensor rhythm_of_clips(const at::Tensor& waveform, const at::Tensor& clips,
                           const audio::RhythmOptions& options) {
  const auto covered = clips.numel();
  if (options.beats.method == audio::BeatMethod::reference || waveform.size(0) <= covered) {
    return audio::rhythm_measures(clips.flatten(), options);
  }
  return audio::rhythm_measures(waveform, options).narrow(0, 0, clips.size(0)).contiguous();
}

Planned planned_music(const ExtractRecipe& recipe) {
  Planned planned;
  const json clips = {{"rate_hz", recipe.rate_hz},
                      {"max_seconds", recipe.max_seconds},
                      {"clip_seconds", recipe.clip_seconds}};
  if (recipe.fbank) {
    json options = clips;
    options["mels"] = recipe.fbank->mels;
    planned.emplace_back("fbank", provenance("fbank", "1", options));
  }
  if (recipe.rhythm) {
    json options = clips;
    options["beats"] = to_string(recipe.rhythm->beats);
    planned.emplace_back("rhythm_measures", provenance("rhythm_measures", "5", options));
    planned.emplace_back("rhythm", provenance("rhythm", "5", options));
  }
  if (recipe.beats) {
    const json options = {{"rate_hz", recipe.rate_hz}, {"method", to_string(recipe.beats->beats)}};
    planned.emplace_back("beats", provenance("beats", "4", options));
    if (recipe.down_beats) {
      planned.emplace_back("down_beats", provenance("down_beats", "3", options));
      planned.emplace_back("beat_confidence", provenance("beat_confidence", "3", options));
    }
  }
  const json rate = {{"rate_hz", recipe.rate_hz}};
  if (recipe.energy) planned.emplace_back("energy", provenance("energy", "1", rate));
  if (recipe.sections) planned.emplace_back("sections", provenance("sections", "2", rate));
  return planned;
}

void add_beats(TrackList& tracks, const at::Tensor& waveform, const ExtractRecipe& recipe,
               const audio::ExternalBeatTracker& aubio) {
  const auto options = beat_options(recipe, recipe.beats->beats, aubio);
  const auto result = audio::track_beats(waveform, options);
  add_moments(tracks, "beats", result.beats_seconds);
  if (!recipe.down_beats) return;
  add_moments(tracks, "down_beats", result.down_beats_seconds);
  const double seconds = double(waveform.size(0)) / recipe.rate_hz;
  // Other methods do not say how sure they are; their beats count in full.
  const bool says = options.method == audio::BeatMethod::tracker;
  tracks.add("beat_confidence", at::tensor({says ? float(result.confidence) : 1.0f}),
             RowTimes::regular(1, 0, seconds, seconds));
}

void add_energy(TrackList& tracks, const at::Tensor& waveform, const ExtractRecipe& recipe) {
  audio::EnergyOptions options;
  options.rate_hz = recipe.rate_hz;
  const auto curve = audio::energy_curve(waveform, options);
  // Whole samples.
  const double hop = std::round(options.rate_hz * options.hop_seconds) / options.rate_hz;
  tracks.add("energy", curve, RowTimes::regular(curve.size(0), 0, hop, hop));
}

void add_sections(TrackList& tracks, const at::Tensor& waveform, const ExtractRecipe& recipe) {
  audio::SectionOptions options;
  options.rate_hz = recipe.rate_hz;
  std::vector<float> strengths;
  std::vector<Interval> rows;
  for (const auto& change : audio::section_changes(waveform, options)) {
    strengths.push_back(float(change.strength));
    rows.push_back({change.seconds, change.seconds});
  }
  tracks.add("sections", at::tensor(strengths, at::kFloat),
             RowTimes::explicit_rows(std::move(rows)));
}

Planned planned_film(const ExtractRecipe& recipe) {
  Planned planned;
  json frames = to_json(recipe)["frames"];
  frames["clip_frames"] = recipe.clip_frames();
  if (recipe.grey_clips) {
    json options = frames;
    if (recipe.bgr_grey) options["weights"] = "bgr";
    planned.emplace_back("grey_clips", provenance("grey_clips", "1", options));
  }
  if (recipe.clip_flow) {
    json options = frames;
    options["method"] = to_string(recipe.clip_flow->method);
    planned.emplace_back("clip_flow_measures", provenance("clip_flow_measures", "2", options));
  }
  if (recipe.flow) {
    const json options = to_json(recipe)["features"]["flow"];
    planned.emplace_back("flow", provenance("flow", "2", options));
    if (recipe.cuts) planned.emplace_back("cuts", provenance("cuts", "1", options));
  }
  return planned;
}

}  // namespace

Planned planned_features(const std::string& kind, const ExtractRecipe& recipe) {
  VMR_CHECK(kind == "film" || kind == "music",
            "planned_features: expected kind film or music, got \"", kind, "\"");
  return kind == "film" ? planned_film(recipe) : planned_music(recipe);
}

Extracted extract_music(const std::filesystem::path& path, const ExtractRecipe& recipe,
                        const audio::ExternalBeatTracker& aubio, std::stop_token stop) {
  media::AudioOptions audio_options;
  audio_options.rate_hz = recipe.rate_hz;
  // Beats are tracked over the whole song, clips come from its beginning.
  const bool whole_song = recipe.beats || recipe.energy || recipe.sections ||
                          (recipe.rhythm && recipe.rhythm->beats != audio::BeatMethod::reference);
  if (!whole_song) audio_options.duration_seconds = recipe.max_seconds;
  media::DecodePlan plan;
  plan.audio = audio_options;
  const auto decoded = media::decode(path, plan, stop);
  const auto waveform = decoded.audio->samples[0].contiguous();
  const auto clips =
      audio::cut_into_clips(waveform, {recipe.rate_hz, recipe.clip_seconds, recipe.max_seconds});
  if (clips.size(0) == 0 && (recipe.fbank || recipe.rhythm)) {
    throw MediaError(vmr::detail::concat(
        path.string(), ": too short: ", double(waveform.size(0)) / recipe.rate_hz,
        " s of sound, but a clip needs more than ", recipe.clip_seconds / 2, " s"));
  }
  const auto clip_times =
      RowTimes::regular(clips.size(0), 0, recipe.clip_seconds, recipe.clip_seconds);
  TrackList tracks(planned_music(recipe), path);
  if (recipe.fbank) {
    audio::FbankOptions options;
    options.rate_hz = recipe.rate_hz;
    options.mels = recipe.fbank->mels;
    tracks.add("fbank", audio::fbank(clips, options), clip_times);
  }
  if (recipe.rhythm) {
    audio::RhythmOptions options;
    options.clip_seconds = recipe.clip_seconds;
    options.beats = beat_options(recipe, recipe.rhythm->beats, aubio);
    const auto measures = rhythm_of_clips(waveform, clips, options);
    audio::RhythmClassOptions class_options;
    class_options.clip_seconds = recipe.clip_seconds;
    tracks.add("rhythm_measures", measures, clip_times);
    tracks.add("rhythm", audio::rhythm_classes(measures, class_options).classes, clip_times);
  }
  if (recipe.beats) add_beats(tracks, waveform, recipe, aubio);
  if (recipe.energy) add_energy(tracks, waveform, recipe);
  if (recipe.sections) add_sections(tracks, waveform, recipe);
  return {tracks.take(), decoded.problems};
}

namespace {

// Grey clips and their flow, of frames [n, height, width, 3] at recipe.fps.
void add_clip_features(TrackList& tracks, const at::Tensor& frames, const ExtractRecipe& recipe,
                       const std::filesystem::path& path) {
  const int64_t clip_frames = recipe.clip_frames();
  const auto rows = static_cast<int64_t>(
      video::clip_frame_indices(frames.size(0), clip_frames, recipe.max_frames).size() /
      size_t(clip_frames));
  if (rows == 0) {
    throw MediaError(vmr::detail::concat(path.string(), ": too short: ", frames.size(0),
                                         " frames at ", recipe.fps,
                                         " per second, but a clip needs ", clip_frames / 2 + 1));
  }
  const auto times = RowTimes::regular(rows, 0, recipe.clip_seconds, recipe.clip_seconds);
  if (recipe.grey_clips) {
    tracks.add("grey_clips",
               video::grey_clips(frames, {clip_frames, recipe.max_frames, recipe.bgr_grey}), times);
  }
  if (recipe.clip_flow) {
    video::FlowOptions options;
    options.method = recipe.clip_flow->method;
    tracks.add("clip_flow_measures",
               video::clip_flow_measures(frames, options, {clip_frames, recipe.max_frames}), times);
  }
}

// A film of still pictures taken at recipe.fps, as its maker says: the archive knows no times.
Extracted extract_frame_archive(const std::filesystem::path& path, const ExtractRecipe& recipe) {
  if (recipe.flow) {
    throw MediaError(
        path.string() +
        ": an archive of pictures, but the features \"flow\" and \"cuts\" need a film; "
        "leave them out of the recipe");
  }
  if (!recipe.grey_clips && !recipe.clip_flow) return {};
  std::vector<media::ArchivedPicture> pictures;
  try {
    pictures = media::read_frame_archive(
        path, {.archive_order = recipe.archive_order, .max_frames = recipe.max_frames});
  } catch (const NotBuilt& error) {  // costs this item, not the batch
    throw MediaError(path.string() + ": " + error.what());
  }
  if (pictures.empty()) throw MediaError(path.string() + ": no JPEG or PNG pictures in it");
  std::vector<at::Tensor> frames;
  for (const auto& picture : pictures) {
    try {
      frames.push_back(video::resize(video::decode_picture(picture.bytes), recipe.height,
                                     recipe.width, recipe.kernel));
    } catch (const InvalidArgument& error) {
      throw MediaError(path.string() + ": " + picture.name + ": " + error.what());
    }
  }
  TrackList tracks(planned_film(recipe), path);
  add_clip_features(tracks, at::stack(frames), recipe, path);
  return {tracks.take(), {}};
}

}  // namespace

Extracted detail::extract_film(const std::filesystem::path& path, const ExtractRecipe& recipe,
                               std::stop_token stop, int threads) {
  if (media::is_frame_archive(path)) return extract_frame_archive(path, recipe);
  media::DecodePlan plan;
  plan.threads = threads;
  const bool clips = recipe.grey_clips || recipe.clip_flow.has_value();
  if (clips) {
    media::FrameJob job;
    job.fps = recipe.fps;
    job.max_frames = recipe.max_frames;
    job.prepare = [&](const at::Tensor& rgb) {
      return video::resize(rgb, recipe.height, recipe.width, recipe.kernel);
    };
    plan.frame_jobs.push_back(std::move(job));
  }
  std::optional<FlowStream> stream;
  if (recipe.flow) {
    stream.emplace(*recipe.flow, recipe.cuts);
    media::FrameJob job;
    job.fps = recipe.flow->fps;
    job.max_seconds = recipe.flow->max_seconds;
    job.prepare = [&](const at::Tensor& rgb) { return stream->push(rgb); };
    plan.frame_jobs.push_back(std::move(job));
  }
  if (plan.frame_jobs.empty()) return {};
  plan.on_restart = [&] {
    if (stream) stream->restart();
  };
  const auto decoded = media::decode(path, plan, stop);
  TrackList tracks(planned_film(recipe), path);
  if (clips) add_clip_features(tracks, decoded.frames[0].pixels, recipe, path);
  if (stream) {
    const auto& frames = decoded.frames.back();
    const double hop = 1 / recipe.flow->fps;
    tracks.add("flow", FlowStream::trajectory(frames),
               RowTimes::regular(frames.pixels.size(0), 0, hop, hop));
    if (recipe.cuts) add_moments(tracks, "cuts", stream->cuts(frames));
  }
  return {tracks.take(), decoded.problems};
}

Extracted extract_film(const std::filesystem::path& path, const ExtractRecipe& recipe,
                       std::stop_token stop) {
  return detail::extract_film(path, recipe, std::move(stop), 1);
}

}  // namespace vmr::pipeline
