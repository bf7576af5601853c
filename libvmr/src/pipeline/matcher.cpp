#include "vmr/pipeline/matcher.h"

#include <torch/torch.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "core/ascii_lower.h"
#include "core/byte_text.h"
#include "pipeline/clip_encoder.h"
#include "pipeline/embed_items.h"
#include "pipeline/index_space.h"
#include "pipeline/track_metadata.h"
#include "vmr/core/device.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/core/parallel.h"
#include "vmr/media/frame_archive.h"
#include "vmr/media/probe.h"
#include "vmr/pipeline/runs.h"
#include "vmr/text/sentence_encoder.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
class RunMatcher : public Matcher {
 public:
  RunMatcher(const fs::path& folder, const std::string& device)
      : device_(resolve_device(device)), catalogue_(retrieval::Catalogue::open(folder)) {
    const auto model_about = attachment("model/about.json");
    run_ = open_matching_run(model_about.parent_path(), device);
    recipe_ = read_recipe(attachment("recipe.json")).extract;
    for (const auto& [name, hash] : catalogue_->attachments()) {
      if (name.starts_with("encoders/") && name.ends_with("/about.json")) {
        encoders_.push_back(ClipEncoder::load(attachment(name).parent_path(), device_));
      }
    }
    if (run_.about.contains("clip_flow_edges")) {
      edges_ = video::flow_class_edges_from_json(run_.about.at("clip_flow_edges").dump());
    }
    const auto space = detail::space_of(run_);
    if (space.id != catalogue_->stats().space.id) {
      throw StoreError("the model in " + folder.string() +
                       " is not the one that embedded its tracks; build the index again");
    }
  }

  FilmAnalysis analyse(const fs::path& film, std::stop_token stop) override {
    if (media::is_frame_archive(film)) {
      throw MediaError(film.string() +
                       ": an archive of pictures, but a film to match needs its times, of which "
                       "motion and cuts are measured; make a film of the pictures, as with "
                       "`ffmpeg -framerate 1 -i %d.jpg film.mp4`, and match that");
    }
    FilmAnalysis analysis;
    analysis.path = film;
    // The report shows motion and cuts whether the model reads them or not.
    ExtractRecipe recipe = recipe_;
    if (!recipe.flow) {
      recipe.flow.emplace();
      recipe.flow->method = video::FlowMethod::dis_ultrafast;
    }
    recipe.cuts = true;
    auto extracted = extract_film(film, recipe, stop);
    analysis.tracks = std::move(extracted.tracks);
    analysis.problems = std::move(extracted.problems);
    analysis.duration_seconds = media::probe(film).duration_seconds;
    if (recipe_.clip_flow) {
      VMR_ASSERT(edges_.has_value(), "a recipe with clip_flow but no class edges");
      for (const auto& [name, track] : NamedTracks(analysis.tracks)) {
        if (name == "clip_flow_measures") {
          analysis.tracks.emplace_back("clip_flow", clip_flow_track(track, *edges_));
        }
      }
    }
    encode_clips("film", analysis.tracks);
    const torch::NoGradGuard no_grad;
    const auto inputs = run_.model->inputs();
    analysis.embedding =
        run_.model->embed_video(batch_of_one(analysis.tracks, inputs.video, device_)).cpu();
    return analysis;
  }

  std::vector<retrieval::Hit> match(const FilmAnalysis& film,
                                    const MatchOptions& options) override {
    return ranked(&film, options);
  }

  std::vector<retrieval::Hit> match_text(const MatchOptions& options) override {
    VMR_CHECK(!options.text.empty(), "match: expected a film, words, or both; got neither");
    return ranked(nullptr, options);
  }

  IndexSummary add(const std::vector<store::ManifestItem>& tracks, int threads,
                   const RunControl& control, const audio::ExternalBeatTracker& aubio) override {
    check_ids(tracks);
    IndexSummary summary;
    std::vector<at::Tensor> vectors(tracks.size());
    std::mutex mutex;
    const auto inputs = run_.model->inputs();
    for_each_item(
        int64_t(tracks.size()), threads,
        [&](int64_t i) {
          const auto& item = tracks[size_t(i)];
          std::string reason;
          NamedTracks features;
          at::Tensor vector;
          try {
            features = extract_music(item.path, recipe_, aubio, control.stop).tracks;
            const torch::NoGradGuard no_grad;
            const std::lock_guard lock(mutex);  // the networks work on one item at a time
            encode_clips("music", features);
            vector =
                run_.model->embed_music(batch_of_one(features, inputs.music, device_))[0].cpu();
          } catch (const Error& error) {
            reason = error.what();
          }
          const std::lock_guard lock(mutex);
          if (reason.empty()) {
            vectors[size_t(i)] = vector;
            ++summary.tracks;
          } else if (!control.stop.stop_requested()) {
            summary.failures.push_back({item.id, reason});
          }
          control.progress({"analyse tracks", summary.tracks + int64_t(summary.failures.size()),
                            int64_t(tracks.size()), item.id});
        },
        control.stop);
    retrieval::CatalogueTracks batch;
    batch.space = catalogue_->stats().space.id;
    std::vector<at::Tensor> rows;
    for (size_t i = 0; i < tracks.size(); ++i) {
      if (!vectors[i].defined()) continue;
      rows.push_back(vectors[i]);
      batch.ids.push_back(tracks[i].id);
      batch.metadata.push_back(detail::metadata_of(tracks[i]));
    }
    if (!rows.empty()) {
      batch.vectors = torch::stack(rows);
      catalogue_->add(batch);
    }
    summary.stats = catalogue_->stats();
    return summary;
  }

  retrieval::Catalogue& catalogue() override { return *catalogue_; }
  const ExtractRecipe& recipe() const override { return recipe_; }

 private:
  fs::path attachment(const std::string& name) const {
    const auto path = catalogue_->attachment_path(name);
    if (!path)
      throw StoreError("the catalogue lacks " + name + "; build it with `vmr index build`");
    return *path;
  }

  // Before hours of analysis, not after.
  static void check_ids(const std::vector<store::ManifestItem>& tracks) {
    std::map<std::string, const store::ManifestItem*> seen;
    for (const auto& item : tracks) {
      const auto [first, fresh] = seen.emplace(item.id, &item);
      VMR_CHECK(fresh, "index add: ", first->second->path.string(), " and ", item.path.string(),
                " have the same id \"", item.id, "\"; give ids of their own by a manifest");
    }
  }

  // By a film, by words, or by both; the words' weight is 1 where there is no film.
  std::vector<retrieval::Hit> ranked(const FilmAnalysis* film, const MatchOptions& options) {
    VMR_CHECK(options.top >= 1, "match: expected top >= 1, got ", options.top);
    VMR_CHECK(options.text_weight >= 0 && options.text_weight <= 1,
              "match: expected a weight of the words in 0..1, got ", options.text_weight);
    const bool with_film = film != nullptr;
    const double tag_weight = options.text.empty() ? 0 : with_film ? options.text_weight : 1;
    at::Tensor tag, query;
    if (tag_weight > 0) tag = text_embedding(options.text);
    if (with_film) query = film->embedding[0] * (1 - tag_weight);
    if (tag_weight > 0) query = with_film ? query + tag_weight * tag.expand_as(query) : tag;
    const auto snapshot = catalogue_->snapshot();
    retrieval::SearchOptions search;
    search.top = options.top;
    search.filter = retrieval::Filter::parse(options.filter);
    search.threads = options.threads;
    std::vector<retrieval::Hit> hits;
    for (const auto& found : snapshot->search(query.contiguous(), search)) {
      retrieval::Hit hit;
      hit.id = found.id;
      hit.metadata = snapshot->row(found.index).metadata;
      const auto vectors = snapshot->vectors(found.index);
      for (const auto& slice :
           with_film ? run_.model->score_slices() : std::vector<model::ScoreSlice>()) {
        // The slice's share of the score is the mean over vectors of its dot products.
        const auto product = film->embedding[0] * vectors;
        const double share = product.slice(1, slice.begin, slice.end).sum(1).mean().item<double>();
        hit.parts.push_back({slice.name, slice.weight > 0 ? share / slice.weight : 0,
                             slice.weight * (1 - tag_weight)});
      }
      if (tag_weight > 0) {
        hit.parts.push_back({"words", (tag * vectors).sum(1).mean().item<double>(), tag_weight});
      }
      hit.score = retrieval::total_of(hit.parts);
      hits.push_back(std::move(hit));
    }
    return hits;
  }

  void encode_clips(const std::string& kind, NamedTracks& tracks) const {
    for (const auto& encoder : encoders_) {
      if (encoder.kind() != kind) continue;
      const auto input = std::find_if(tracks.begin(), tracks.end(), [&](const auto& track) {
        return track.first == encoder.input();
      });
      VMR_CHECK(input != tracks.end(), "the encoder of \"", encoder.output(),
                "\" reads the feature \"", encoder.input(),
                "\", which the recipe does not extract");
      auto encoded = encoder.encode(input->second);
      tracks.emplace_back(encoder.output(), std::move(encoded));
    }
  }

  // As people type it: without regard to ASCII case where no tag is written so.
  std::optional<int64_t> find_tag(const std::string& words) const {
    if (const auto place = run_.tags.find(words)) return place;
    const auto& tags = run_.tags.tags;
    const auto wanted = vmr::detail::ascii_lower(words);
    const auto same = std::find_if(tags.begin(), tags.end(), [&](const std::string& tag) {
      return vmr::detail::ascii_lower(tag) == wanted;
    });
    if (same == tags.end()) return std::nullopt;
    return same - tags.begin();
  }

  // Of a tag of the training set, or of any words where the catalogue has a sentence encoder.
  at::Tensor text_embedding(const std::string& words) {
    const auto place = find_tag(words);
    at::Tensor sentence;
    if (place) {
      sentence = run_.tags.vectors.narrow(0, *place, 1);
    } else if (const auto modules = catalogue_->attachment_path("text/modules.json")) {
      if (!text_encoder_) {
        text::SentenceEncoderOptions options;
        options.device = device_;
        text_encoder_.emplace(text::SentenceEncoder::open(modules->parent_path(), options));
      }
      sentence = text_encoder_->encode({words});
    } else {
      unknown_tag(words);
    }
    const torch::NoGradGuard no_grad;
    const auto embedded = run_.model->embed_text(sentence.to(device_));
    VMR_CHECK(embedded.has_value(), "match: this catalogue's model takes no words");
    return (*embedded)[0].cpu();
  }

  [[noreturn]] void unknown_tag(const std::string& words) const {
    const auto near = nearest_name(words, run_.tags.tags);
    std::string known;
    for (const auto& tag : run_.tags.tags) known += (known.empty() ? "" : ", ") + tag;
    throw InvalidArgument(
        "match: this catalogue has no sentence encoder, and \"" + words + "\" is no tag of it" +
        (near.empty() ? "" : "; did you mean \"" + near + "\"?") + " (tags: " + known +
        "); for any words train after `vmr embed --text-encoder`");
  }

  c10::Device device_;
  std::unique_ptr<retrieval::Catalogue> catalogue_;
  MatchingRun run_;
  ExtractRecipe recipe_;
  std::vector<ClipEncoder> encoders_;
  std::optional<video::FlowClassEdges> edges_;
  std::optional<text::SentenceEncoder> text_encoder_;
};

}  // namespace

fs::path track_path(const retrieval::Hit& hit) {
  return vmr::detail::restore_bytes(hit.metadata.value("path", ""));
}

std::unique_ptr<Matcher> Matcher::open(const fs::path& index_folder, const std::string& device) {
  return std::make_unique<RunMatcher>(index_folder, device);
}

}  // namespace vmr::pipeline
