#include "vmr/pipeline/variants.h"

#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>

#include "pipeline/number_text.h"
#include "pipeline/protocols.h"
#include "vmr/core/error.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

double milliseconds(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

struct Variant {
  std::string name;
  bool embeds = false, joint = false;
  train::JointOptions options = {};
  std::vector<double> query_ms = {};
  std::vector<at::Tensor> rows = {};  // [tracks] of each film
};

// The gallery's side and the way of one film through it.
class Gallery {
 public:
  Gallery(model::MatchingModel& model, const data::PairDataset& items, model::Distance distance)
      : model_(model), items_(items), distance_(distance), device_(model.parameters()[0].device()) {
    // A first pass loads and sizes what LibTorch keeps; the second is the time of a gallery.
    for (int pass = 0; pass < 2; ++pass) {
      vectors_ms_ = milliseconds([&] { vectors_ = train::embed_music(model_, items_); });
      prepared_ms_ = milliseconds([&] {
        prepared_ = train::prepare_music(model_, items_);
        if (prepared_) prepared_->select(0, 0).cpu();  // waits for the device
      });
    }
  }
  bool joint() const { return prepared_.has_value(); }
  double prepare_ms(const Variant& variant) const {
    return (variant.embeds ? vectors_ms_ : 0) + (variant.joint ? prepared_ms_ : 0);
  }

  // Scores [tracks] of a film.
  at::Tensor row(int64_t film, const Variant& variant) const {
    const torch::NoGradGuard no_grad;
    const auto video = data::to_device(items_.collate_video({film}), device_);
    at::Tensor first;
    if (variant.embeds) {
      const auto vector = model_.embed_video(video).to(torch::kFloat).cpu();
      first = train::embedding_scores(vector, vectors_, model_.score_slices(), distance_)[0];
    }
    if (!variant.joint) return first;
    return train::joint_row(model_, *model_.prepare_video(video), *prepared_, first,
                            variant.options);
  }

 private:
  model::MatchingModel& model_;
  const data::PairDataset& items_;
  model::Distance distance_;
  torch::Device device_;
  at::Tensor vectors_;                  // [tracks, vectors, dim]
  std::optional<at::Tensor> prepared_;  // [tracks, n]
  double vectors_ms_ = 0, prepared_ms_ = 0;
};

std::vector<Variant> variants_of(const VariantsOptions& options, int64_t tracks, bool joint) {
  std::vector<Variant> variants = {{"independent", true, false}};
  if (!joint) return variants;
  train::JointOptions own;
  own.distance = options.evaluate.distance;
  auto mean = own;
  mean.scoring = model::PairScoring::gallery_mean;
  variants.push_back({"pairwise_mean", false, true, mean});
  variants.push_back({"pairwise", false, true, own});
  auto lengths = options.shortlists;
  if (lengths.empty()) {
    lengths = {10, 25, 50, 100, 200};
    std::erase_if(lengths, [&](int64_t length) { return length >= tracks; });
  }
  for (const int64_t length : lengths) {
    VMR_CHECK(length >= 1, "a shortlist needs at least 1 track, got ", length);
    auto list = own;
    list.shortlist = std::min(length, tracks);
    variants.push_back({"shortlist", true, true, list});
  }
  return variants;
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto place = std::ceil(share * double(values.size())) - 1;
  return values[size_t(std::max(0.0, place))];
}

json document_of(const Variant& variant, double prepare_ms, const data::PairDataset& items,
                 const eval::EvaluationOptions& options) {
  return {
      {"name", variant.name},
      {"shortlist", variant.options.shortlist},
      {"prepare_ms", prepare_ms},
      {"query_ms",
       {{"median", quantile(variant.query_ms, 0.5)}, {"p95", quantile(variant.query_ms, 0.95)}}},
      {"video_to_music",
       eval::video_to_music_document(at::stack(variant.rows), items.track_of_film(), options)}};
}

// To the right of `width` characters, to the left where it is negative.
std::string padded(const std::string& text, int width) {
  const std::string space(size_t(std::max(0, std::abs(width) - int(text.size()))), ' ');
  return width < 0 ? text + space : space + text;
}

// Keys of a JSON object are sorted as text; people want 1, 5, 10, 25.
std::vector<int64_t> sorted_ks(const json& variants) {
  std::vector<int64_t> ks;
  for (const auto& variant : variants) {
    ks.clear();
    for (const auto& [k, entry] : variant.at("video_to_music").at("recall").items()) {
      ks.push_back(std::stoll(k));
    }
  }
  std::sort(ks.begin(), ks.end());
  return ks;
}

}  // namespace

json compare_variants(const std::filesystem::path& run_folder,
                      const std::filesystem::path& store_folder, const VariantsOptions& options,
                      const RunControl& control) {
  const auto opened = open_for_evaluation(run_folder, store_folder, options.evaluate, control);
  const auto& items = opened.items;
  VMR_CHECK(options.shortlists.empty() || has_joint_scores(opened), "a ", opened.model->kind(),
            " model has no joint scores to rank a shortlist by; shortlists are for models with "
            "cross attention (ut_cmvmr)");
  const Gallery gallery(*opened.model, items, options.evaluate.distance);
  const auto tracks = int64_t(items.tracks().size());
  auto variants = variants_of(options, tracks, gallery.joint());
  for (const auto& variant : variants) gallery.row(0, variant);  // warm
  const auto ks = opened.run.recipe.evaluate.ks;
  const auto top = *std::max_element(ks.begin(), ks.end());
  for (int64_t film = 0; film < items.size() && !control.stop.stop_requested(); ++film) {
    for (auto& variant : variants) {
      at::Tensor row;
      variant.query_ms.push_back(milliseconds([&] {
        row = gallery.row(film, variant);
        eval::ranking(row, std::min(top, tracks));
      }));
      variant.rows.push_back(row);
    }
    control.progress({"variants", film + 1, items.size(), ""});
  }
  json document = {{"recipe", opened.run.recipe.name},
                   {"split", options.evaluate.split},
                   {"weights_hash", opened.run.weights_hash},
                   {"left_out", items.missing().size()},
                   {"queries", items.size()},
                   {"gallery", tracks},
                   {"threads", at::get_num_threads()},
                   {"device", opened.model->parameters()[0].device().str()},
                   {"variants", json::array()}};
  if (control.stop.stop_requested()) return document;
  eval::EvaluationOptions evaluation;
  evaluation.ks = ks;
  evaluation.resamples = options.evaluate.resamples;
  evaluation.seed = options.evaluate.seed;
  for (const auto& variant : variants) {
    document["variants"].push_back(
        document_of(variant, gallery.prepare_ms(variant), items, evaluation));
  }
  return document;
}

std::string variants_table(const json& document) {
  const auto& variants = document.at("variants");
  const auto ks = sorted_ks(variants);
  std::string table = detail::concat(
      document.at("queries").get<int64_t>(), " films ask a gallery of ",
      document.at("gallery").get<int64_t>(), "; threads ", document.at("threads").get<int>(), ", ",
      document.at("device").get<std::string>(), "\n");
  table += padded("variant", -16);
  for (const int64_t k : ks) table += padded("R@" + std::to_string(k), 7);
  table += padded("median", 9) + padded("ms a query", 13) + padded("p95", 10) +
           padded("prepare ms", 13) + "\n";
  for (const auto& variant : variants) {
    auto name = variant.at("name").get<std::string>();
    const int64_t length = variant.at("shortlist");
    if (length > 0) name += " " + std::to_string(length);
    table += padded(name, -16);
    const auto& figures = variant.at("video_to_music");
    for (const int64_t k : ks) {
      const double recall = figures.at("recall").at(std::to_string(k)).at("value");
      table += padded(number_text(100 * recall, 1), 7);
    }
    table += padded(number_text(figures.at("median_rank"), 1), 9) +
             padded(number_text(variant.at("query_ms").at("median"), 2), 13) +
             padded(number_text(variant.at("query_ms").at("p95"), 2), 10) +
             padded(number_text(variant.at("prepare_ms"), 1), 13) + "\n";
  }
  return table;
}

}  // namespace vmr::pipeline
