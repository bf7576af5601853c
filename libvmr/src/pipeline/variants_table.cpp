// The comparison of variants as tables for people.
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "pipeline/number_text.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/variants.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

// To the right of `width` characters, to the left where it is negative.
std::string padded(const std::string& text, int width) {
  const std::string space(size_t(std::max(0, std::abs(width) - int(text.size()))), ' ');
  return width < 0 ? text + space : space + text;
}

// Keys of a JSON object are sorted as text; people want 1, 5, 10, 25.
std::vector<int64_t> sorted_ks(const json& recall) {
  std::vector<int64_t> ks;
  for (const auto& [k, entry] : recall.items()) ks.push_back(std::stoll(k));
  std::sort(ks.begin(), ks.end());
  return ks;
}

std::string milliseconds(const json& value, int digits) {
  return value.is_null() ? "-" : number_text(value, digits);
}

std::string line_of(const json& variant, const json& figures, const std::vector<int64_t>& ks) {
  auto name = variant.at("name").get<std::string>();
  const int64_t length = variant.at("shortlist");
  if (length > 0) name += " " + std::to_string(length);
  auto line = padded(name, -16);
  for (const int64_t k : ks) {
    const double recall = figures.at("recall").at(std::to_string(k)).at("value");
    line += padded(number_text(100 * recall, 1), 8);
  }
  const auto& query = figures.at("query_ms");
  const auto time = [&](const char* key) { return query.is_null() ? json() : query.at(key); };
  return line + padded(number_text(figures.at("median_rank"), 1), 13) +
         padded(milliseconds(time("median"), 2), 18) + padded(milliseconds(time("p95"), 2), 15) +
         padded(milliseconds(figures.at("prepare_ms"), 1), 13) + "\n";
}

std::string table_of(const json& variants, const char* direction, const char* title,
                     const char* queries, const char* gallery) {
  const auto& first = variants.at(0).at(direction);
  const auto ks = sorted_ks(first.at("recall"));
  auto table = detail::concat(title, ": ", first.at("queries").get<int64_t>(), queries,
                              first.at("gallery").get<int64_t>(), gallery, "\n");
  table += padded("variant", -16);
  for (const int64_t k : ks) table += padded("R@" + std::to_string(k) + " %", 8);
  table += padded("median rank", 13) + padded("median query, ms", 18) +
           padded("p95 query, ms", 15) + padded("prepare, ms", 13) + "\n";
  for (const auto& variant : variants) table += line_of(variant, variant.at(direction), ks);
  return table;
}

}  // namespace

std::string variants_table(const json& document) {
  const auto& variants = document.at("variants");
  if (variants.empty()) return "";
  return table_of(variants, "video_to_music", "video to music", " films ask a gallery of ",
                  " tracks") +
         "\n" +
         table_of(variants, "music_to_video", "music to video", " tracks ask a gallery of ",
                  " films") +
         detail::concat(
             "query: from stored features to the ranking, wall clock, the median and 95 % of the "
             "queries;\nprepare: once for the gallery; ",
             document.at("threads").get<int>(), " threads, ",
             document.at("device").get<std::string>(), "\n");
}

}  // namespace vmr::pipeline
