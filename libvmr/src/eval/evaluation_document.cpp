#include "vmr/eval/evaluation_document.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "vmr/core/error.h"
#include "vmr/eval/bootstrap.h"

namespace vmr::eval {
namespace {

// One direction; the group of a query is its track, which is also its cluster.
nlohmann::json direction(const Ranks& ranks, std::span<const int64_t> query_tracks,
                         const EvaluationOptions& options) {
  nlohmann::json result = {{"queries", ranks.queries.size()}, {"gallery", ranks.gallery}};
  std::vector<double> hits(ranks.queries.size());
  for (const int64_t k : options.ks) {
    VMR_CHECK(k >= 1, "evaluation_document: expected ks of at least 1, got ", k);
    for (size_t i = 0; i < hits.size(); ++i) hits[i] = ranks.hit(i, k);
    const auto interval = cluster_bootstrap_mean(
        hits, query_tracks, {.resamples = options.resamples, .seed = options.seed});
    nlohmann::json entry = {{"value", interval.value}, {"chance", chance_hit_rate(ranks, k)}};
    const bool known = interval.low == interval.low;  // NaN for a single track
    entry["low"] = known ? nlohmann::json(interval.low) : nlohmann::json();
    entry["high"] = known ? nlohmann::json(interval.high) : nlohmann::json();
    result["recall"][std::to_string(k)] = std::move(entry);
  }
  result["median_rank"] = median_rank(ranks);
  result["mean_rank"] = mean_rank(ranks);
  result["mean_log_rank"] = mean_log_rank(ranks);
  result["mrr"] = mean_reciprocal_rank(ranks);
  result["nan_scores"] = ranks.nan_scores;
  result["ties"] = {{"rule", name_of(ranks.ties)},
                    {"queries", ranks.tied_queries},
                    {"share", ranks.tied_share()}};
  if (const std::string warning = ranks.tie_warning(); !warning.empty())
    result["ties"]["warning"] = warning;
  return result;
}

std::string percent(const nlohmann::json& value) {
  if (value.is_null()) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", 100 * value.get<double>());
  return text;
}

void append_direction(std::string& table, const std::string& name, const nlohmann::json& values) {
  // Keys of a JSON object are sorted as text; people want 1, 5, 10, 25.
  std::vector<int64_t> ks;
  for (const auto& [k, entry] : values.at("recall").items()) ks.push_back(std::stoll(k));
  std::sort(ks.begin(), ks.end());
  char line[256];
  std::snprintf(line, sizeof line, "%s: %lld queries, gallery %lld\n", name.c_str(),
                values.at("queries").get<long long>(), values.at("gallery").get<long long>());
  table += line;
  std::snprintf(line, sizeof line, "  %-10s %8s %17s %8s\n", "", "value %", "95 % interval",
                "chance %");
  table += line;
  for (const int64_t k : ks) {
    const nlohmann::json& entry = values.at("recall").at(std::to_string(k));
    const std::string interval = percent(entry.at("low")) + " .. " + percent(entry.at("high"));
    std::snprintf(line, sizeof line, "  %-10s %8s %17s %8s\n",
                  ("recall@" + std::to_string(k)).c_str(), percent(entry.at("value")).c_str(),
                  interval.c_str(), percent(entry.at("chance")).c_str());
    table += line;
  }
  std::snprintf(line, sizeof line, "  median rank %.1f, mean rank %.1f, MRR %.3f\n",
                values.at("median_rank").get<double>(), values.at("mean_rank").get<double>(),
                values.at("mrr").get<double>());
  table += line;
  if (const auto warning = values.at("ties").find("warning"); warning != values.at("ties").end())
    table += "  warning: " + warning->get<std::string>() + "\n";
  if (const int64_t count = values.at("nan_scores").get<int64_t>(); count > 0)
    table += "  warning: " + std::to_string(count) + " scores are NaN and rank last\n";
}

}  // namespace

nlohmann::json evaluation_document(const at::Tensor& scores, std::span<const int64_t> film_tracks,
                                   const EvaluationOptions& options) {
  return evaluation_document(DirectedScores{scores, scores}, film_tracks, options);
}

nlohmann::json evaluation_document(const DirectedScores& scores,
                                   std::span<const int64_t> film_tracks,
                                   const EvaluationOptions& options) {
  VMR_CHECK(!options.ks.empty(), "evaluation_document: expected at least one k, got none");
  const auto ranks = rank_both_ways(scores, film_tracks, options.ties);
  return {{"video_to_music", direction(ranks.video_to_music, film_tracks, options)},
          {"music_to_video", direction(ranks.music_to_video, ranks.asking_tracks, options)}};
}

std::string evaluation_table(const nlohmann::json& document) {
  std::string table;
  try {
    append_direction(table, "video to music", document.at("video_to_music"));
    append_direction(table, "music to video", document.at("music_to_video"));
  } catch (const std::exception& error) {
    throw InvalidArgument(
        detail::concat("evaluation_table: this is no evaluation document: ", error.what()));
  }
  return table;
}

}  // namespace vmr::eval
