#include "vmr/data/clip_dataset.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "data/none_usable.h"
#include "data/random_stream.h"
#include "vmr/core/error.h"

namespace vmr::data {
namespace {

using store::Manifest;
using store::ManifestItem;

std::string own_label(const ManifestItem& item, const std::string& field) {
  if (field == "tag") return item.tags.empty() ? "" : item.tags.front();
  const auto found = item.fields.find(field);
  return found == item.fields.end() ? "" : found->second;
}

std::string label_of(const Manifest& manifest, const ManifestItem& item, const std::string& field) {
  const std::string label = own_label(item, field);
  if (!label.empty() || item.track.empty()) return label;
  const auto* track = manifest.find("music", item.track);
  return track == nullptr ? "" : own_label(*track, field);
}

}  // namespace

void validate(const ClipDatasetOptions& options) {
  VMR_CHECK(!options.feature.empty(), "ClipDatasetOptions: feature is empty");
  VMR_CHECK(options.kind == "music" || options.kind == "film",
            "ClipDatasetOptions: kind must be music or film, got ", options.kind);
  VMR_CHECK(!options.label_field.empty(), "ClipDatasetOptions: label_field is empty");
  VMR_CHECK(options.batch >= 1, "ClipDatasetOptions: batch must be at least 1, got ",
            options.batch);
  VMR_CHECK(options.group_items >= 0, "ClipDatasetOptions: group_items must not be negative, got ",
            options.group_items);
}

ClipDataset::ClipDataset(const store::FeatureStore& store, const Manifest& manifest,
                         ClipDatasetOptions options, const RunControl& control)
    : store_(&store), options_(std::move(options)), first_clip_{0} {
  validate(options_);
  std::set<std::string> labels;
  for (const auto* item : manifest.of(options_.kind)) {
    labels.insert(label_of(manifest, *item, options_.label_field));
  }
  labels.erase("");
  classes_.assign(labels.begin(), labels.end());

  const auto items = manifest.of(options_.kind, options_.split);
  std::optional<std::vector<int64_t>> shape;
  for (const auto* item : items) {
    control.progress({"load", static_cast<int64_t>(items_.size() + missing_.size()),
                      static_cast<int64_t>(items.size()), item->id});
    const std::string label = label_of(manifest, *item, options_.label_field);
    std::string reason = label.empty() ? "it has no " + options_.label_field : "";
    int64_t clips = 0;
    if (reason.empty()) {
      reason = "the store has no feature " + options_.feature;
      // A copy, but its checksum is compared: what is read batch by batch later was whole once.
      if (const auto track = store_->find({options_.feature, options_.kind, item->id})) {
        clips = track->values.size(0);
        const auto row = track->values.sizes().slice(1).vec();
        if (clips > 0 && !shape) shape = row;
        reason = clips == 0 ? "feature " + options_.feature + " has no rows" : "";
        if (clips > 0 && row != *shape) {
          reason = detail::concat("its clips are ", at::IntArrayRef(row), ", those of other items ",
                                  at::IntArrayRef(*shape));
        }
      }
    }
    if (!reason.empty()) {
      missing_.push_back({item->id, reason});
      continue;
    }
    items_.push_back(item->id);
    labels_.push_back(std::lower_bound(classes_.begin(), classes_.end(), label) - classes_.begin());
    first_clip_.push_back(first_clip_.back() + clips);
  }
  if (items_.empty()) {
    throw InvalidArgument("ClipDataset: " +
                          none_usable(manifest, options_.kind, options_.split, missing_));
  }
  clip_shape_ = *shape;
}

int64_t ClipDataset::batches_per_epoch() const {
  const int64_t full = size() / options_.batch, rest = size() % options_.batch;
  // A last batch of one clip joins the one before: batch normalisation cannot train on one row.
  return std::max<int64_t>(1, full + (rest >= 2 || options_.batch == 1 ? (rest > 0) : 0));
}

std::vector<std::vector<int64_t>> ClipDataset::slices(const std::vector<int64_t>& order) const {
  std::vector<std::vector<int64_t>> batches;
  const int64_t count = batches_per_epoch();
  for (int64_t i = 0; i < count; ++i) {
    const auto begin = order.begin() + i * options_.batch;
    batches.emplace_back(begin, i + 1 == count ? order.end() : begin + options_.batch);
  }
  return batches;
}

std::vector<std::vector<int64_t>> ClipDataset::ordered_batches() const {
  std::vector<int64_t> order(static_cast<size_t>(size()));
  std::iota(order.begin(), order.end(), 0);
  return slices(order);
}

std::vector<std::vector<int64_t>> ClipDataset::epoch_batches(uint64_t seed, int64_t epoch) const {
  RandomStream random = random_stream(seed, Purpose::clips, epoch);
  std::vector<int64_t> items(items_.size());
  std::iota(items.begin(), items.end(), 0);
  random.shuffle(items);
  const size_t group =
      options_.group_items > 0 ? static_cast<size_t>(options_.group_items) : items.size();
  std::vector<int64_t> order;
  for (size_t begin = 0; begin < items.size(); begin += group) {
    std::vector<int64_t> clips;
    for (size_t i = begin; i < std::min(begin + group, items.size()); ++i) {
      const auto item = static_cast<size_t>(items[i]);
      for (int64_t c = first_clip_[item]; c < first_clip_[item + 1]; ++c) clips.push_back(c);
    }
    random.shuffle(clips);
    order.insert(order.end(), clips.begin(), clips.end());
  }
  return slices(order);
}

ClipBatch ClipDataset::collate(const std::vector<int64_t>& clips) const {
  VMR_CHECK(!clips.empty(), "ClipDataset: collate needs at least one clip");
  const auto count = static_cast<int64_t>(clips.size());
  ClipBatch batch;
  batch.labels = at::empty({count}, at::kLong);
  batch.item_ids.resize(clips.size());
  // Places in the batch by clip, so that each item is read once.
  std::vector<std::pair<int64_t, int64_t>> places;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t clip = clips[static_cast<size_t>(i)];
    VMR_CHECK(clip >= 0 && clip < size(), "ClipDataset: clip position ", clip, " out of range 0..",
              size() - 1);
    places.emplace_back(clip, i);
  }
  std::sort(places.begin(), places.end());
  auto* labels = batch.labels.mutable_data_ptr<int64_t>();
  for (size_t begin = 0; begin < places.size();) {
    const auto next = std::upper_bound(first_clip_.begin(), first_clip_.end(), places[begin].first);
    const auto item = static_cast<size_t>(next - first_clip_.begin()) - 1;
    size_t end = begin;
    while (end < places.size() && places[end].first < *next) ++end;
    const store::FeatureKey key{options_.feature, options_.kind, items_[item]};
    const bool found = store_->visit(key, [&](const FeatureTrack& track) {
      const auto& values = track.values;
      const int64_t rows = first_clip_[item + 1] - first_clip_[item];
      if (values.size(0) != rows || values.sizes().slice(1) != at::IntArrayRef(clip_shape_)) {
        throw StoreError("ClipDataset: feature " + key.feature + " of " + key.id +
                         " changed in the store since the data set was made");
      }
      if (!batch.values.defined()) {
        std::vector<int64_t> shape = {count};
        shape.insert(shape.end(), clip_shape_.begin(), clip_shape_.end());
        batch.values = at::empty(shape, values.options());
      }
      const size_t row_bytes = values.nbytes() / static_cast<size_t>(rows);
      const auto* in = static_cast<const std::byte*>(values.const_data_ptr());
      auto* out = static_cast<std::byte*>(batch.values.mutable_data_ptr());
      for (size_t i = begin; i < end; ++i) {
        const auto [clip, place] = places[i];
        std::memcpy(out + static_cast<size_t>(place) * row_bytes,
                    in + static_cast<size_t>(clip - first_clip_[item]) * row_bytes, row_bytes);
        labels[place] = labels_[item];
        batch.item_ids[static_cast<size_t>(place)] = items_[item];
      }
    });
    if (!found) {
      throw StoreError("ClipDataset: feature " + key.feature + " of " + key.id +
                       " vanished from the store since the data set was made");
    }
    begin = end;
  }
  return batch;
}

}  // namespace vmr::data
