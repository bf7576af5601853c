#include "vmr/pipeline/rankings.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/file_io.h"
#include "pipeline/number_text.h"
#include "pipeline/protocols.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/eval/retrieval_metrics.h"
#include "vmr/train/embed_dataset.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

constexpr const char* kCsvHead = "direction,query,rank,id,score,relevant\n";

bool is_csv(const std::filesystem::path& path) {
  const auto ending = path.extension();
  VMR_CHECK(ending == ".json" || ending == ".csv", path.string(),
            ": a ranking file's name ends in .json or .csv");
  return ending == ".csv";
}

json to_json(const RankedQuery& query) {
  json returned = json::array();
  for (size_t i = 0; i < query.returned.size(); ++i) {
    json item = {{"id", query.returned[i]}};
    if (!query.scores.empty()) {
      const double score = query.scores[i];
      item["score"] = std::isfinite(score) ? json(score) : json();
    }
    returned.push_back(std::move(item));
  }
  return {{"direction", query.direction},
          {"query", query.query},
          {"relevant", query.relevant},
          {"returned", std::move(returned)}};
}

RankedQuery query_of(const json& source, const std::string& file, size_t place) {
  RankedQuery query;
  JsonReader reader(source, file, "[" + std::to_string(place) + "]");
  reader.field("direction", query.direction);
  reader.field("query", query.query);
  reader.field("relevant", query.relevant);
  for (const auto& entry : reader.raw("returned")) {
    JsonReader item(entry, file, "[" + std::to_string(place) + "].returned");
    std::string id;
    item.field("id", id);
    query.returned.push_back(id);
    if (item.has("score")) {
      const auto& score = item.raw("score");
      if (!score.is_number() && !score.is_null()) item.fail("score", "expected a number");
      query.scores.push_back(score.is_number() ? score.get<double>()
                                               : std::numeric_limits<double>::quiet_NaN());
    }
    item.finish();
  }
  if (!query.scores.empty() && query.scores.size() != query.returned.size()) {
    reader.fail("returned", "expected a score for all items or for none");
  }
  reader.finish();
  return query;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string to_csv(const std::vector<RankedQuery>& queries) {
  std::string text = kCsvHead;
  for (const auto& query : queries) {
    const std::string start = csv_field(query.direction) + "," + csv_field(query.query) + ",";
    std::set<std::string> missing(query.relevant.begin(), query.relevant.end());
    for (size_t i = 0; i < query.returned.size(); ++i) {
      const bool relevant = missing.erase(query.returned[i]) > 0;
      text += start + std::to_string(i + 1) + "," + csv_field(query.returned[i]) + "," +
              (query.scores.empty() ? "" : number_text(query.scores[i], 7)) +
              (relevant ? ",1\n" : ",0\n");
    }
    for (const auto& id : missing) text += start + "," + csv_field(id) + ",,1\n";
  }
  return text;
}

// The records of a CSV text, quotes removed, with the line each begins in.
std::vector<std::pair<int64_t, std::vector<std::string>>> records_of(const std::string& text) {
  std::vector<std::pair<int64_t, std::vector<std::string>>> records;
  std::vector<std::string> fields(1);
  int64_t line = 1, first = 1;
  bool quoted = false;
  const auto end_record = [&] {
    if (fields.size() > 1 || !fields[0].empty()) records.emplace_back(first, fields);
    fields.assign(1, "");
    first = line;
  };
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    line += c == '\n';
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && c == ',') {
      fields.emplace_back();
    } else if (!quoted && c == '\n') {
      end_record();
    } else if (quoted || c != '\r') {
      fields.back() += c;
    }
  }
  end_record();
  return records;
}

template <typename Number>
Number number_of(const std::string& text, const std::string& where) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  VMR_CHECK(error == std::errc() && end == text.data() + text.size(), where,
            ": expected a number, got \"", text, "\"");
  return value;
}

std::vector<RankedQuery> from_csv(const std::string& text, const std::string& file) {
  std::vector<RankedQuery> queries;
  std::map<std::pair<std::string, std::string>, size_t> place;
  const auto records = records_of(text);
  VMR_CHECK(text.starts_with(std::string(kCsvHead).substr(0, 15)), file,
            ": expected a first line \"direction,query,rank,id,score,relevant\"");
  for (size_t i = 1; i < records.size(); ++i) {
    const auto& [line, fields] = records[i];
    const auto where = detail::concat(file, ", line ", line);
    VMR_CHECK(fields.size() == 6, where, ": expected 6 fields, got ", fields.size());
    const auto [entry, fresh] = place.emplace(std::pair(fields[0], fields[1]), queries.size());
    if (fresh) queries.push_back({fields[0], fields[1], {}, {}, {}});
    auto& query = queries[entry->second];
    VMR_CHECK(fields[5] == "0" || fields[5] == "1", where, ": expected relevant 0 or 1, got \"",
              fields[5], "\"");
    if (fields[5] == "1") query.relevant.push_back(fields[3]);
    if (fields[2].empty()) continue;
    const auto rank = number_of<int64_t>(fields[2], where);
    VMR_CHECK(rank == int64_t(query.returned.size()) + 1, where, ": expected rank ",
              query.returned.size() + 1, " of ", fields[1], ", got ", rank,
              "; lines of a query follow its ranks");
    query.returned.push_back(fields[3]);
    if (!fields[4].empty()) query.scores.push_back(number_of<double>(fields[4], where));
    VMR_CHECK(query.scores.empty() || query.scores.size() == query.returned.size(), where,
              ": expected a score for all items of a query or for none");
  }
  return queries;
}

RankedQuery ranked(const char* direction, const std::string& query, const at::Tensor& scores,
                   const std::vector<std::string>& gallery, const std::set<int64_t>& relevant,
                   int64_t top) {
  RankedQuery result{direction, query, {}, {}, {}};
  for (const int64_t item : relevant) result.relevant.push_back(gallery[size_t(item)]);
  for (const int64_t item : eval::ranking(scores, top > 0 ? top : scores.size(0))) {
    result.returned.push_back(gallery[size_t(item)]);
    result.scores.push_back(scores[item].item<double>());
  }
  return result;
}

// The metrics take numbers for ids.
struct Numbered {
  std::vector<int64_t> returned, relevant;
};

Numbered numbered(const RankedQuery& query) {
  std::map<std::string, int64_t> numbers;
  const auto of = [&](const std::vector<std::string>& ids) {
    std::vector<int64_t> result;
    for (const auto& id : ids) {
      result.push_back(numbers.emplace(id, int64_t(numbers.size())).first->second);
    }
    return result;
  };
  Numbered result{of(query.returned), of(query.relevant)};
  VMR_CHECK(!query.relevant.empty(), "query ", query.query, " of ", query.direction,
            " has no relevant item; leave it out or name its items");
  const std::set<std::string> distinct(query.returned.begin(), query.returned.end());
  VMR_CHECK(distinct.size() == query.returned.size(), "query ", query.query, " of ",
            query.direction, " has an item that is returned twice; remove the later ones");
  return result;
}

json direction_document(const std::vector<Numbered>& queries, const std::vector<int64_t>& ks) {
  json at = json::object();
  for (const int64_t k : ks) {
    std::vector<eval::ListMetrics> each;
    for (const auto& query : queries) {
      each.push_back(eval::list_metrics(query.returned, query.relevant, k));
    }
    const auto mean = eval::mean_of(each);
    at[std::to_string(k)] = {
        {"hit", mean.hit}, {"recall", mean.recall}, {"precision", mean.precision},
        {"map", mean.map}, {"mrr", mean.mrr},       {"ndcg", mean.ndcg}};
  }
  std::vector<double> ranks;
  for (const auto& query : queries) {
    const auto found = std::find_first_of(query.returned.begin(), query.returned.end(),
                                          query.relevant.begin(), query.relevant.end());
    ranks.push_back(found == query.returned.end() ? std::numeric_limits<double>::infinity()
                                                  : double(found - query.returned.begin()) + 1);
  }
  const auto all = eval::median_rank(ranks);
  const auto found = eval::median_rank(ranks, eval::AbsentRanks::ignore);
  const auto finite = [](double value) { return std::isinf(value) ? json() : json(value); };
  return {{"queries", queries.size()},
          {"at", at},
          {"median_rank", finite(all.median)},
          {"median_rank_of_found", finite(found.median)},
          {"absent", all.absent}};
}

std::string padded(const std::string& text, size_t width) {
  return std::string(width - std::min(width, text.size()), ' ') + text;
}

}  // namespace

std::vector<RankedQuery> rank_split(const std::filesystem::path& run_folder,
                                    const std::filesystem::path& store_folder,
                                    const EvaluateOptions& options, int64_t top,
                                    const RunControl& control) {
  const auto opened = load_items(open_source(run_folder, store_folder, options), options, control);
  auto& model = *opened.model;
  const auto& items = opened.items;
  const auto scores =
      train::embedding_scores(train::embed_films(model, items), train::embed_music(model, items),
                              model.score_slices(), options.distance);
  std::vector<RankedQuery> queries;
  std::map<int64_t, std::set<int64_t>> films_of;
  for (int64_t film = 0; film < items.size(); ++film) {
    const int64_t track = items.track_of_film()[size_t(film)];
    films_of[track].insert(film);
    queries.push_back(ranked("video_to_music", items.films()[size_t(film)], scores[film],
                             items.tracks(), {track}, top));
  }
  for (const auto& [track, films] : films_of) {
    queries.push_back(ranked("music_to_video", items.tracks()[size_t(track)],
                             scores.select(1, track), items.films(), films, top));
  }
  return queries;
}

void write_rankings(const std::vector<RankedQuery>& queries, const std::filesystem::path& path) {
  if (is_csv(path)) {
    vmr::detail::write_file_atomically(path, to_csv(queries));
    return;
  }
  json document = json::array();
  for (const auto& query : queries) document.push_back(to_json(query));
  vmr::detail::write_file_atomically(path, document.dump(1) + "\n");
}

std::vector<RankedQuery> read_rankings(const std::filesystem::path& path) {
  const auto file = path.string();
  if (is_csv(path)) return from_csv(vmr::detail::read_file(path), file);
  const auto document = read_json_file(file);
  VMR_CHECK(document.is_array(), file, ": expected a list of queries");
  std::vector<RankedQuery> queries;
  for (const auto& entry : document) queries.push_back(query_of(entry, file, queries.size()));
  return queries;
}

json rankings_document(const std::vector<RankedQuery>& queries, const std::vector<int64_t>& ks) {
  VMR_CHECK(!queries.empty() && !ks.empty(),
            "rankings: expected at least one query and one rank k, got ", queries.size(), " and ",
            ks.size());
  std::map<std::string, std::vector<Numbered>> directions;
  for (const auto& query : queries) directions[query.direction].push_back(numbered(query));
  json document = json::object();
  for (const auto& [name, part] : directions) document[name] = direction_document(part, ks);
  return document;
}

std::string rankings_table(const json& document) {
  std::string text;
  for (const auto& [name, part] : document.items()) {
    text += name + ": " + part.at("queries").dump() + " queries\n" + padded("k", 6);
    const std::vector<std::string> names = {"hit", "recall", "precision", "map", "mrr", "ndcg"};
    for (const auto& metric : names) text += padded(metric, 11);
    text += "\n";
    std::map<int64_t, json> by_k;  // keys of a JSON object are sorted as text
    for (const auto& [k, entry] : part.at("at").items()) by_k[std::stoll(k)] = entry;
    for (const auto& [k, entry] : by_k) {
      text += padded(std::to_string(k), 6);
      for (const auto& metric : names) text += padded(number_text(entry.at(metric), 4), 11);
      text += "\n";
    }
    const auto rank = [](const json& value) {
      return value.is_null() ? std::string("none") : number_text(value, 1);
    };
    text += "  median rank " + rank(part.at("median_rank")) + ", of those found " +
            rank(part.at("median_rank_of_found")) + "; " + part.at("absent").dump() +
            " queries whose items are not returned\n";
  }
  return text;
}

}  // namespace vmr::pipeline
