#include "vmr/synth/library.h"

#include <ATen/Functions.h>

#include <chrono>
#include <mutex>

#include "core/file_io.h"
#include "synth/library_plan.h"
#include "synth/truth_json.h"
#include "vmr/core/error.h"
#include "vmr/core/parallel.h"
#include "vmr/media/film_writer.h"

namespace vmr::synth {
namespace {

namespace fs = std::filesystem;

void make_folders(const fs::path& folder) {
  for (const char* name : {"films", "music", "truth"}) {
    std::error_code error;
    fs::create_directories(folder / name, error);
    if (error) {
      throw StoreError("generate_library: cannot make " + (folder / name).string() + ": " +
                       error.message());
    }
  }
}

// The music formats this build's FFmpeg can write. Throws: NotBuilt; MediaError where none.
std::vector<std::string> writable_formats(const fs::path& folder) {
  const media::Audio silence{at::zeros({2, 8192}), static_cast<double>(kSongRateHz), 0.0};
  std::vector<std::string> formats;
  std::string reason;
  for (const char* extension : {".m4a", ".mp3", ".flac"}) {
    const fs::path path = folder / (std::string("format-trial") + extension);
    try {
      media::write_audio(path, silence);
      formats.emplace_back(extension);
    } catch (const MediaError& error) {
      reason = error.what();
    }
    std::error_code ignored;
    fs::remove(path, ignored);
  }
  if (formats.empty())
    throw MediaError("generate_library: no music format can be written: " + reason);
  return formats;
}

// Whether an item's file is there and its truth says it was made with these options.
bool complete(const fs::path& media, const fs::path& truth, const std::string& fingerprint) {
  if (!fs::exists(media) || !fs::exists(truth)) return false;
  const auto json = nlohmann::json::parse(detail::read_file(truth), nullptr, false);
  return json.is_object() && json.value("made_with", "") == fingerprint;
}

class Studio {
 public:
  Studio(const fs::path& folder, const LibraryOptions& options, const RunControl& control)
      : folder_(folder),
        options_(options),
        control_(control),
        tracks_(plan_tracks(options, writable_formats(folder))),
        per_track_(1 + options.films_per_track),
        done_(tracks_.size() * static_cast<size_t>(per_track_), 0) {}

  LibrarySummary run() {
    const auto begin = std::chrono::steady_clock::now();
    const auto total = static_cast<int64_t>(done_.size());
    const int64_t begun = for_each_item(
        total, options_.threads, [&](int64_t item) { make(item); }, control_.stop);
    summary_.stopped = begun < total;
    write_manifest();
    summary_.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return summary_;
  }

 private:
  // Item 0 of every track is its music, the others its films.
  void make(int64_t item) {
    const int64_t index = item / per_track_, film = item % per_track_ - 1;
    const PlannedTrack& track = tracks_[static_cast<size_t>(index)];
    const std::string id = film < 0 ? track.id : film_id(track, film);
    const fs::path media = film < 0 ? music_path(folder_, track) : film_path(folder_, track, film);
    const std::string fingerprint = item_fingerprint(options_, track, index, film);
    std::string reason;
    double seconds = 0.0;
    bool reused = false;
    try {
      reused = complete(media, truth_path(folder_, id), fingerprint);
      if (!reused) {
        seconds = film < 0 ? make_music(track, media, fingerprint)
                           : make_film(track, index, film, media, fingerprint);
      }
    } catch (const std::exception& error) {
      reason = error.what();
    }
    const std::lock_guard lock(mutex_);
    if (reason.empty()) {
      done_[static_cast<size_t>(item)] = 1;
      ++(reused ? summary_.reused : summary_.rendered);
      summary_.media_seconds += seconds;
    } else {
      summary_.failed.push_back({id, reason});
      control_.log(LogLevel::error, "synth: " + id + ": " + reason);
    }
    ++finished_;
    control_.progress({"synth", finished_, static_cast<int64_t>(done_.size()), id});
  }

  double make_music(const PlannedTrack& track, const fs::path& path,
                    const std::string& fingerprint) {
    const Song song = render_song(track.state);
    media::write_audio(path, {song.samples, static_cast<double>(kSongRateHz), 0.0});
    nlohmann::json truth = track_truth(track.id, track.state, song.truth);
    truth["loudness_lufs"] = song.loudness_lufs;
    write_truth(track.id, std::move(truth), fingerprint);
    return track.state.seconds;
  }

  FilmScript script_of(const PlannedTrack& track, int64_t index, int64_t film,
                       const Observation& seen) const {
    return write_film_script(seen, plan_song(track.state), film_options(options_, index, film));
  }

  double make_film(const PlannedTrack& track, int64_t index, int64_t film, const fs::path& path,
                   const std::string& fingerprint) {
    const Observation seen = observation_of(track, index, film);
    const FilmScript script = script_of(track, index, film, seen);
    media::FilmWriter writer(path, {.width = options_.width,
                                    .height = options_.height,
                                    .fps = static_cast<double>(script.options.frames_per_second),
                                    .rate_hz = static_cast<double>(kFilmRateHz),
                                    .channels = 1,
                                    .crf = 26,
                                    .preset = "ultrafast",
                                    .threads = 1});
    FilmRenderer renderer(script);
    const at::Tensor sound = film_sound(script);
    int64_t heard = 0;
    for (int64_t frame = 0; frame < script.frames; ++frame) {
      writer.add_frame(renderer.render(frame));
      // Sound keeps step with the picture, so that the file interleaves and memory stays flat.
      const int64_t until = frame + 1 == script.frames
                                ? sound.size(1)
                                : (frame + 1) * kFilmRateHz / script.options.frames_per_second;
      if (frame % 25 == 24 || frame + 1 == script.frames) {
        writer.add_audio(sound.narrow(1, heard, until - heard));
        heard = until;
      }
    }
    writer.finish();
    nlohmann::json truth = film_truth(film_id(track, film), track.id, seen, script);
    truth["tags"] = {mood_name(track.state.mood)};
    write_truth(film_id(track, film), std::move(truth), fingerprint);
    return script.options.seconds;
  }

  Observation observation_of(const PlannedTrack& track, int64_t index, int64_t film) const {
    return observe(track.state, options_.difficulty, options_.seed, index, film);
  }

  void write_truth(const std::string& id, nlohmann::json truth, const std::string& fingerprint) {
    truth["made_with"] = fingerprint;
    detail::write_file_atomically(truth_path(folder_, id), truth.dump(1) + "\n");
  }

  void write_manifest() {
    store::Manifest manifest;
    for (size_t index = 0; index < tracks_.size(); ++index) {
      const size_t first = index * static_cast<size_t>(per_track_);
      if (!done_[first]) continue;
      manifest.items.push_back(music_item(folder_, tracks_[index]));
    }
    for (size_t index = 0; index < tracks_.size(); ++index) {
      const size_t first = index * static_cast<size_t>(per_track_);
      for (int64_t film = 0; film < options_.films_per_track; ++film) {
        if (!done_[first] || !done_[first + 1 + static_cast<size_t>(film)]) continue;
        const PlannedTrack& track = tracks_[index];
        const auto number = static_cast<int64_t>(index);
        const FilmScript script =
            script_of(track, number, film, observation_of(track, number, film));
        manifest.items.push_back(film_item(folder_, track, film, script.options,
                                           std::string(texture_family_name(script.texture))));
      }
    }
    summary_.manifest = folder_ / "manifest.jsonl";
    store::write_manifest(manifest, summary_.manifest);
  }

  const fs::path folder_;
  const LibraryOptions options_;
  const RunControl& control_;
  const std::vector<PlannedTrack> tracks_;
  const int64_t per_track_;
  std::vector<char> done_;
  std::mutex mutex_;
  int64_t finished_ = 0;
  LibrarySummary summary_;
};

}  // namespace

LibrarySummary generate_library(const fs::path& folder, const LibraryOptions& options,
                                const RunControl& control) {
  validate(options);
  make_folders(folder);
  detail::write_file_atomically(folder / "library.json", library_json(options).dump(2) + "\n");
  return Studio(folder, options, control).run();
}

HiddenTruth hidden_truth_scores(const fs::path& folder, const std::string& split, bool use_cuts) {
  const store::Manifest manifest = store::read_manifest(folder / "manifest.jsonl");
  HiddenTruth truth;
  std::vector<TrackTruth> tracks;
  for (const auto* item : manifest.of("music", split)) {
    truth.tracks.push_back(item->id);
    tracks.push_back(read_track_truth(truth_path(folder, item->id)));
  }
  const auto films = manifest.of("film", split);
  truth.scores = at::empty(
      {static_cast<int64_t>(films.size()), static_cast<int64_t>(tracks.size())}, at::kDouble);
  double* out = truth.scores.data_ptr<double>();
  for (const auto* item : films) {
    truth.films.push_back(item->id);
    const FilmTruth film = read_film_truth(truth_path(folder, item->id));
    for (const TrackTruth& track : tracks) {
      *out = log_likelihood(film.seen, track.state, film.difficulty);
      if (use_cuts) {
        *out += cut_log_likelihood(film.cuts, track.beats, film.frames_per_second, film.difficulty);
      }
      ++out;
    }
  }
  return truth;
}

}  // namespace vmr::synth
