#include "pipeline/tag_texts.h"

#include <torch/torch.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/file_io.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/pipeline/runs.h"
#include "vmr/text/sentence_encoder.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;

// Of what is read of the folder, so that another model in one of the same name is another
// provenance.
std::string folder_hash(const fs::path& folder) {
  std::map<std::string, std::string> hashes;
  for (const auto& file : text::SentenceEncoder::files(folder)) {
    hashes[file.string()] = hash_file(folder / file);
  }
  return hash_text(nlohmann::json(hashes).dump());
}

}  // namespace

std::vector<std::string> first_tags(const store::Manifest& manifest) {
  std::set<std::string> tags;
  for (const auto& item : manifest.items) {
    if (!item.tags.empty()) tags.insert(item.tags.front());
  }
  return {tags.begin(), tags.end()};
}

fs::path text_encoder_folder(const fs::path& store_folder) {
  return store_folder / "encoders" / kTagFeature;
}

int64_t stored_text_dim(const store::FeatureStore& store) {
  const auto keys = store.keys(kTagFeature, "tag");
  return keys.empty() ? 0 : store.find(keys.front())->values.size(1);
}

data::TagVectors tag_vectors(const store::FeatureStore& store, const store::Manifest& manifest,
                             int64_t dim) {
  const auto tags = first_tags(manifest);
  if (tags.empty() || dim == 0) return {};
  if (!store.provenance(kTagFeature, "tag")) return data::formula_tag_vectors(tags, dim);
  data::TagVectors result;
  std::vector<at::Tensor> rows;
  for (const auto& tag : tags) {
    const auto track = store.find({kTagFeature, "tag", tag});
    VMR_CHECK(track.has_value(), "the store has sentence vectors, but none for the tag \"", tag,
              "\"; run `vmr embed --text-encoder` again, or import it");
    rows.push_back(track->values);
  }
  result.tags = tags;
  result.vectors = torch::cat(rows);
  VMR_CHECK(result.dim() == dim, "the model reads text of ", dim,
            " values, the store's sentence vectors have ", result.dim(),
            "; set model.text_dim (and rho_dim, which the text term compares with it) to ",
            result.dim());
  return result;
}

EmbedSummary embed_tags(const fs::path& encoder_folder, const fs::path& store_folder,
                        const RunOptions& options, const RunControl& control) {
  text::SentenceEncoderOptions encoder_options;
  encoder_options.device = resolve_device(options.device);
  const auto encoder = text::SentenceEncoder::open(encoder_folder, encoder_options);
  store::StoreOptions store_options;
  store_options.writable = true;
  const auto store = store::FeatureStore::open(store_folder, store_options);
  const auto tags = first_tags(stored_manifest(*store));
  EmbedSummary summary;
  summary.feature = kTagFeature;
  VMR_CHECK(!tags.empty(), "embed: no item of the store's manifest has a tag");
  const nlohmann::json made_with = {{"max_tokens", encoder.max_tokens()},
                                    {"normalised", encoder.normalises()}};
  const Provenance provenance{"sentence_encoder", "1", made_with.dump(),
                              folder_hash(encoder_folder), ""};
  const auto stored = store->provenance(kTagFeature, "tag");
  if (stored && stored->fingerprint() != provenance.fingerprint()) {
    control.log(LogLevel::info, "replacing the tags' vectors made with another encoder");
    store->remove_feature(kTagFeature, "tag");
  }
  vmr::detail::replace_folder(text_encoder_folder(store_folder), [&](const fs::path& aside) {
    for (const auto& file : text::SentenceEncoder::files(encoder_folder)) {
      fs::create_directories((aside / file).parent_path());
      fs::copy_file(encoder_folder / file, aside / file);
    }
  });
  std::vector<std::string> missing;
  for (const auto& tag : tags) {
    if (!store->contains({kTagFeature, "tag", tag})) missing.push_back(tag);
  }
  summary.already_there = int64_t(tags.size() - missing.size());
  if (missing.empty()) return summary;
  const auto vectors = encoder.encode(missing);
  std::vector<std::pair<store::FeatureKey, FeatureTrack>> tracks;
  for (size_t i = 0; i < missing.size(); ++i) {
    tracks.push_back({{kTagFeature, "tag", missing[i]},
                      {vectors.narrow(0, int64_t(i), 1).contiguous(),
                       RowTimes::explicit_rows(std::vector<Interval>(1)), provenance}});
  }
  store->put(tracks);
  summary.items = int64_t(missing.size());
  return summary;
}

}  // namespace vmr::pipeline
