#include "vmr/data/pair_dataset.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "data/none_usable.h"
#include "vmr/core/error.h"

namespace vmr::data {
namespace {

using store::ManifestItem;

// Features of one item in the order of the inputs, or why it cannot be used.
struct Loaded {
  std::vector<at::Tensor> values;
  std::string reason;
};

at::ScalarType batch_type(at::ScalarType type) {
  if (type == at::kByte) return type;
  return at::isIntegralType(type, /*includeBool=*/true) ? at::kLong : at::kFloat;
}

// Reads items of one side and insists on one row shape a feature.
class SideLoader {
 public:
  SideLoader(const store::FeatureStore& store, const std::vector<FeatureInput>& inputs,
             std::string kind)
      : store_(store), inputs_(inputs), kind_(std::move(kind)), row_(inputs.size()) {}

  Loaded load(const std::string& id) {
    Loaded loaded;
    std::map<std::string, int64_t> rows;
    for (const auto& input : inputs_) {
      const auto track = store_.find({input.feature, kind_, id});  // compares the checksum
      if (!track) return {{}, "the store has no feature " + input.feature};
      const int64_t all = track->values.size(0);
      rows[input.feature] = all;
      const int64_t used = input.max_rows > 0 ? std::min(all, input.max_rows) : all;
      // A clone where rows are cut, so that the rest is not kept alive.
      const auto kept = track->values.narrow(0, 0, used);
      loaded.values.push_back(
          (used < all ? kept.clone() : kept).to(batch_type(kept.scalar_type())).contiguous());
      if (rows[input.feature] == 0) return {{}, "feature " + input.feature + " has no rows"};
    }
    loaded.reason = disagreement(rows, loaded.values);
    if (!loaded.reason.empty()) loaded.values.clear();
    return loaded;
  }

 private:
  std::string disagreement(std::map<std::string, int64_t>& rows,
                           const std::vector<at::Tensor>& values) {
    for (const auto& input : inputs_) {
      if (input.rows_like.empty() || rows[input.feature] == rows[input.rows_like]) continue;
      return detail::concat("feature ", input.feature, " has ", rows[input.feature], " rows but ",
                            input.rows_like, " has ", rows[input.rows_like]);
    }
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const auto row = values[i].sizes().slice(1).vec();
      if (!row_[i]) row_[i] = row;
      if (*row_[i] == row) continue;
      return detail::concat("rows of feature ", inputs_[i].feature, " are ", at::IntArrayRef(row),
                            ", those of other items ", at::IntArrayRef(*row_[i]));
    }
    return "";
  }

  const store::FeatureStore& store_;
  const std::vector<FeatureInput>& inputs_;
  const std::string kind_;
  std::vector<std::optional<std::vector<int64_t>>> row_;
};

std::string tag_of(const ManifestItem& film, const ManifestItem* track) {
  if (!film.tags.empty()) return film.tags.front();
  return track != nullptr && !track->tags.empty() ? track->tags.front() : "";
}

std::vector<std::string> all_tags(const store::Manifest& manifest) {
  std::set<std::string> tags;
  for (const auto* film : manifest.of("film")) {
    tags.insert(tag_of(*film, manifest.find("music", film->track)));
  }
  return {tags.begin(), tags.end()};
}

void append(const std::vector<at::Tensor>& values, std::vector<std::vector<at::Tensor>>& side) {
  for (size_t i = 0; i < values.size(); ++i) side[i].push_back(values[i]);
}

at::Tensor picked(const std::vector<int64_t>& values, const std::vector<int64_t>& places) {
  std::vector<int64_t> result;
  for (const int64_t place : places) result.push_back(values[static_cast<size_t>(place)]);
  return at::tensor(result, at::kLong);
}

void check_places(const std::vector<int64_t>& places, int64_t size, const char* what) {
  for (const int64_t place : places) {
    VMR_CHECK(place >= 0 && place < size, "PairDataset: ", what, " position ", place,
              " out of range 0..", size - 1);
  }
}

void validate_side(const std::vector<FeatureInput>& inputs, const char* side) {
  std::set<std::string> names;
  for (const auto& input : inputs) {
    VMR_CHECK(!input.feature.empty(), "PairDatasetOptions: a ", side, " input has no feature name");
    VMR_CHECK(names.insert(input.feature).second, "PairDatasetOptions: ", side, " feature ",
              input.feature, " is listed twice");
    VMR_CHECK(input.max_rows >= 0, "PairDatasetOptions: max_rows of ", input.feature,
              " must not be negative, got ", input.max_rows);
  }
  for (const auto& input : inputs) {
    VMR_CHECK(input.rows_like.empty() || names.count(input.rows_like) > 0,
              "PairDatasetOptions: rows_like of ", input.feature, " names ", input.rows_like,
              ", which is no ", side, " input");
  }
}

}  // namespace

void validate(const PairDatasetOptions& options) {
  VMR_CHECK(!options.music.empty() && !options.video.empty(),
            "PairDatasetOptions: music and video need at least one feature each");
  validate_side(options.music, "music");
  validate_side(options.video, "video");
}

PairDataset::PairDataset(const store::FeatureStore& store, const store::Manifest& manifest,
                         PairDatasetOptions options, TagVectors tag_vectors,
                         const RunControl& control)
    : options_(std::move(options)), tag_vectors_(std::move(tag_vectors)) {
  validate(options_);
  validate(tag_vectors_);
  tags_ = tag_vectors_.empty() ? all_tags(manifest) : tag_vectors_.tags;
  music_ = {options_.music, std::vector<std::vector<at::Tensor>>(options_.music.size())};
  video_ = {options_.video, std::vector<std::vector<at::Tensor>>(options_.video.size())};

  const auto films = options_.music_only ? std::vector<const ManifestItem*>()
                                         : manifest.of("film", options_.split);
  const auto music = manifest.of("music");
  std::set<std::string> wanted;
  for (const auto* film : films) wanted.insert(film->track);
  // Positions of loaded tracks in `music`, -1 until a film (or unused_tracks) needs them.
  std::map<std::string, Loaded> tracks;
  SideLoader music_loader(store, music_.inputs, "music");
  const auto total = static_cast<int64_t>(films.size() + music.size());
  int64_t done = 0;
  for (const auto* track : music) {
    control.progress({"load", done++, total, track->id});
    const bool unused = (options_.unused_tracks || options_.music_only) &&
                        wanted.count(track->id) == 0 &&
                        (options_.split.empty() || track->split == options_.split);
    if (wanted.count(track->id) == 0 && !unused) continue;
    auto loaded = music_loader.load(track->id);
    if (unused && !loaded.reason.empty()) missing_.push_back({track->id, loaded.reason});
    if (unused && !loaded.reason.empty()) continue;
    tracks.emplace(track->id, std::move(loaded));
  }

  SideLoader video_loader(store, video_.inputs, "film");
  std::vector<std::string> track_names;
  std::set<std::string> used;
  for (const auto* film : films) {
    control.progress({"load", done++, total, film->id});
    const auto track = tracks.find(film->track);
    const auto* track_item = manifest.find("music", film->track);
    const std::string tag = tag_of(*film, track_item);
    const auto tag_place = std::lower_bound(tags_.begin(), tags_.end(), tag);
    std::string reason;
    Loaded loaded;
    if (film->track.empty()) {
      reason = "the manifest names no track";
    } else if (track == tracks.end()) {
      reason = "its track " + film->track + " is not in the manifest";
    } else if (!track->second.reason.empty()) {
      reason = "its track " + film->track + ": " + track->second.reason;
    } else if (tag_place == tags_.end() || *tag_place != tag) {
      reason = tag.empty() ? "it has no tag" : "there is no vector for its tag " + tag;
    } else {
      loaded = video_loader.load(film->id);
      reason = loaded.reason;
    }
    if (!reason.empty()) {
      missing_.push_back({film->id, reason});
      continue;
    }
    films_.push_back(film->id);
    append(loaded.values, video_.values);
    tag_of_film_.push_back(tag_place - tags_.begin());
    track_names.push_back(film->track);
    used.insert(film->track);
  }
  if (films_.empty() && !options_.music_only) {
    throw InvalidArgument("PairDataset: " +
                          none_usable(manifest, "film", options_.split, missing_));
  }
  std::map<std::string, int64_t> place_of_track;
  for (const auto* track : music) {
    const auto found = tracks.find(track->id);
    // A track all of whose films were left out stays only where unused tracks are wanted.
    const bool keep =
        used.count(track->id) > 0 || ((options_.unused_tracks || options_.music_only) &&
                                      found != tracks.end() && found->second.reason.empty());
    if (!keep) continue;
    place_of_track[track->id] = static_cast<int64_t>(tracks_.size());
    tracks_.push_back(track->id);
    append(found->second.values, music_.values);
  }
  VMR_CHECK(!tracks_.empty(),
            "PairDataset: ", none_usable(manifest, "music", options_.split, missing_));
  for (const auto& name : track_names) track_of_film_.push_back(place_of_track.at(name));
}

FeatureMap PairDataset::collate_side(const Side& side, const std::vector<int64_t>& items) const {
  FeatureMap result;
  const auto batch = static_cast<int64_t>(items.size());
  for (size_t i = 0; i < side.inputs.size(); ++i) {
    const auto& input = side.inputs[i];
    const auto& values = side.values[i];
    int64_t time = 0;
    for (const int64_t item : items) {
      time = std::max(time, values[static_cast<size_t>(item)].size(0));
    }
    std::vector<int64_t> shape = {batch, time};
    const auto row = values.front().sizes().slice(1);
    shape.insert(shape.end(), row.begin(), row.end());
    MaskedTensor masked{at::zeros(shape, values.front().options()),
                        at::zeros({batch, time}, at::kBool)};
    auto* out = static_cast<std::byte*>(masked.values.mutable_data_ptr());
    auto* mask = masked.mask.mutable_data_ptr<bool>();
    for (const int64_t item : items) {
      const auto& source = values[static_cast<size_t>(item)];
      std::memcpy(out, source.const_data_ptr(), source.nbytes());
      std::fill_n(mask, source.size(0), true);
      out += source.nbytes() / static_cast<size_t>(source.size(0)) * static_cast<size_t>(time);
      mask += time;
    }
    result[input.feature] = std::move(masked);
  }
  return result;
}

FeatureMap PairDataset::collate_music(const std::vector<int64_t>& tracks) const {
  check_places(tracks, static_cast<int64_t>(tracks_.size()), "track");
  return collate_side(music_, tracks);
}

FeatureMap PairDataset::collate_video(const std::vector<int64_t>& films) const {
  check_places(films, size(), "film");
  return collate_side(video_, films);
}

PairBatch PairDataset::collate(const std::vector<int64_t>& films,
                               const std::vector<int64_t>& negatives) const {
  VMR_CHECK(!films.empty(), "PairDataset: collate needs at least one film");
  VMR_CHECK(negatives.empty() || negatives.size() == films.size(), "PairDataset: ", films.size(),
            " films but ", negatives.size(), " negatives");
  check_places(films, size(), "film");
  check_places(negatives, size(), "film");
  const auto tracks_of = [&](const std::vector<int64_t>& places) {
    std::vector<int64_t> tracks;
    for (const int64_t place : places) {
      tracks.push_back(track_of_film_[static_cast<size_t>(place)]);
    }
    return tracks;
  };
  PairBatch batch;
  const auto tracks = tracks_of(films);
  batch.music = collate_side(music_, tracks);
  batch.video = collate_side(video_, films);
  batch.track_ids = at::tensor(tracks, at::kLong);
  batch.tag_ids = picked(tag_of_film_, films);
  if (!tag_vectors_.empty()) batch.text = tag_vectors_.vectors.index_select(0, batch.tag_ids);
  for (size_t i = 0; i < films.size(); ++i) {
    batch.video_ids.push_back(films_[static_cast<size_t>(films[i])]);
    batch.music_ids.push_back(tracks_[static_cast<size_t>(tracks[i])]);
  }
  if (negatives.empty()) return batch;
  const auto negative_tracks = tracks_of(negatives);
  batch.negative_music = collate_side(music_, negative_tracks);
  batch.negative_video = collate_side(video_, negatives);
  batch.negative_track_ids = at::tensor(negative_tracks, at::kLong);
  batch.negative_tag_ids = picked(tag_of_film_, negatives);
  if (!tag_vectors_.empty()) {
    batch.negative_text = tag_vectors_.vectors.index_select(0, batch.negative_tag_ids);
  }
  return batch;
}

}  // namespace vmr::data
