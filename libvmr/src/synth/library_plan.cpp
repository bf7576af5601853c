#include "synth/library_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <tuple>

#include "synth/random.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"

namespace vmr::synth {
namespace {

// Raised whenever pixels, samples or truth change for equal options.
constexpr int kSynthVersion = 1;

int64_t film_number(int64_t index, int64_t film) { return index * 65536 + film; }

std::string decimal(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string make_title(uint64_t seed, int64_t index, int mood) {
  constexpr std::array<const char*, 16> first{
      "Amber", "Paper",  "Silver",  "Northern", "Hidden",  "Velvet", "Second", "Electric",
      "Slow",  "Copper", "Distant", "Glass",    "Crimson", "Quiet",  "Broken", "Golden"};
  constexpr std::array<const char*, 16> second{
      "River",  "Lantern", "Harbour", "Engine",  "Garden", "Signal",   "Winter", "Parade",
      "Mirror", "Station", "Orchard", "Thunder", "Letter", "Carousel", "Tide",   "Avenue"};
  Random random(seed, "title", index);
  const auto a = static_cast<size_t>(random.below(16)), b = static_cast<size_t>(random.below(16));
  return std::string(first[a]) + " " + second[b] + " (" + std::string(mood_name(mood)) + ")";
}

// Walks the tracks mood by mood, in an order drawn inside each, and gives every next one to the
// split that is furthest behind its share.
std::vector<std::string> draw_splits(const LibraryOptions& options,
                                     const std::vector<PlannedTrack>& tracks) {
  std::vector<std::tuple<int, uint64_t, size_t>> order;
  for (size_t i = 0; i < tracks.size(); ++i) {
    Random random(options.seed, "split", static_cast<int64_t>(i));
    order.emplace_back(tracks[i].state.mood, random.next(), i);
  }
  std::sort(order.begin(), order.end());
  const std::array<const char*, 3> names{"train", "valid", "test"};
  const std::array<double, 3> shares{options.train_share, options.valid_share,
                                     1.0 - options.train_share - options.valid_share};
  std::array<double, 3> given{};
  std::vector<std::string> splits(tracks.size());
  double seen = 0.0;
  for (const auto& [mood, key, index] : order) {
    seen += 1.0;
    size_t best = 0;
    for (size_t s = 1; s < 3; ++s) {
      if (shares[s] * seen - given[s] > shares[best] * seen - given[best] + 1e-9) best = s;
    }
    given[best] += 1.0;
    splits[index] = names[best];
  }
  return splits;
}

}  // namespace

void validate(const LibraryOptions& options) {
  const auto in = [](const char* field, double value, double low, double high) {
    VMR_CHECK(value >= low && value <= high, "generate_library: ", field, " must be in [", low,
              ", ", high, "], got ", value);
  };
  in("tracks", static_cast<double>(options.tracks), 1, 1e6);
  in("films_per_track", static_cast<double>(options.films_per_track), 0, 1000);
  in("difficulty", options.difficulty, 0, 1);
  in("min_seconds", options.min_seconds, 2, 600);
  in("max_seconds", options.max_seconds, options.min_seconds, 600);
  in("width", options.width, 64, 4096);
  in("height", options.height, 64, 4096);
  VMR_CHECK(options.width % 2 == 0 && options.height % 2 == 0,
            "generate_library: width and height must be even, got ", options.width, " x ",
            options.height);
  in("train_share", options.train_share, 0, 1);
  in("valid_share", options.valid_share, 0, 1);
  in("train_share + valid_share", options.train_share + options.valid_share, 0, 1 + 1e-9);
  in("threads", options.threads, 0, 4096);
}

FilmOptions film_options(const LibraryOptions& options, int64_t index, int64_t film) {
  Random random(options.seed, "film options", film_number(index, film));
  FilmOptions result;
  result.width = options.width;
  result.height = options.height;
  result.frames_per_second = random.chance(0.5) ? 24 : 25;
  const double wanted = random.uniform(options.min_seconds, options.max_seconds);
  result.seconds = std::floor(wanted * result.frames_per_second) / result.frames_per_second;
  result.difficulty = options.difficulty;
  result.seed = random.next();
  return result;
}

std::vector<PlannedTrack> plan_tracks(const LibraryOptions& options,
                                      const std::vector<std::string>& extensions) {
  std::vector<PlannedTrack> tracks;
  for (int64_t index = 0; index < options.tracks; ++index) {
    char id[24];
    std::snprintf(id, sizeof id, "t%05lld", static_cast<long long>(index));
    Random random(options.seed, "length", index);
    PlannedTrack track;
    track.id = id;
    track.extension = extensions[static_cast<size_t>(index) % extensions.size()];
    track.state = draw_track(options.seed, index, options.max_seconds * random.uniform(1.0, 1.15));
    track.title = make_title(options.seed, index, track.state.mood);
    tracks.push_back(std::move(track));
  }
  const std::vector<std::string> splits = draw_splits(options, tracks);
  for (size_t i = 0; i < tracks.size(); ++i) tracks[i].split = splits[i];
  return tracks;
}

std::string film_id(const PlannedTrack& track, int64_t film) {
  return track.id + "_f" + std::to_string(film + 1);
}

std::filesystem::path music_path(const std::filesystem::path& folder, const PlannedTrack& track) {
  return folder / "music" / (track.id + track.extension);
}

std::filesystem::path film_path(const std::filesystem::path& folder, const PlannedTrack& track,
                                int64_t film) {
  return folder / "films" / (film_id(track, film) + ".mp4");
}

std::filesystem::path truth_path(const std::filesystem::path& folder, const std::string& id) {
  return folder / "truth" / (id + ".json");
}

std::string item_fingerprint(const LibraryOptions& options, const PlannedTrack& track,
                             int64_t index, int64_t film) {
  nlohmann::json parts{{"version", kSynthVersion},
                       {"seed", options.seed},
                       {"index", index},
                       {"max_seconds", options.max_seconds},
                       {"film", film}};
  if (film < 0) {
    parts["extension"] = track.extension;
  } else {
    parts["min_seconds"] = options.min_seconds;
    parts["difficulty"] = options.difficulty;
    parts["size"] = {options.width, options.height};
  }
  return hash_text(parts.dump());
}

store::ManifestItem music_item(const std::filesystem::path& folder, const PlannedTrack& track) {
  const TrackState& state = track.state;
  return {.id = track.id,
          .kind = "music",
          .path = music_path(folder, track),
          .track = "",
          .tags = {std::string(mood_name(state.mood))},
          .split = track.split,
          .fields = {{"title", track.title},
                     {"license", "CC0-1.0"},
                     {"bpm", decimal(0.5 * (state.tempo_bpm + state.end_tempo_bpm), 2)},
                     {"beats_per_bar", std::to_string(state.beats_per_bar)},
                     {"duration", decimal(state.seconds, 3)},
                     {"instruments", std::string(instrument_set_name(state.instruments))}}};
}

store::ManifestItem film_item(const std::filesystem::path& folder, const PlannedTrack& track,
                              int64_t film, const FilmOptions& options,
                              const std::string& texture) {
  return {.id = film_id(track, film),
          .kind = "film",
          .path = film_path(folder, track, film),
          .track = track.id,
          .tags = {std::string(mood_name(track.state.mood))},
          .split = track.split,
          .fields = {{"title", "Film " + std::to_string(film + 1) + " for " + track.title},
                     {"license", "CC0-1.0"},
                     {"duration", decimal(options.seconds, 3)},
                     {"fps", std::to_string(options.frames_per_second)},
                     {"texture", texture}}};
}

nlohmann::json library_json(const LibraryOptions& options) {
  return {{"made_by", "vmr synth"},
          {"version", kSynthVersion},
          {"options",
           {{"tracks", options.tracks},
            {"films_per_track", options.films_per_track},
            {"difficulty", options.difficulty},
            {"seed", options.seed},
            {"min_seconds", options.min_seconds},
            {"max_seconds", options.max_seconds},
            {"width", options.width},
            {"height", options.height},
            {"train_share", options.train_share},
            {"valid_share", options.valid_share}}}};
}

}  // namespace vmr::synth
