// Hit: one answer to "what fits this", with the reasons. Plain values.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vmr::retrieval {

// One reason of a score: the hit's score is the sum of value * weight over its parts.
struct ScorePart {
  std::string name;  // "embedding", "beats_on_cuts", ...
  double value = 0;
  double weight = 1;
};

struct Hit {
  std::string id;
  double score = 0;
  std::vector<ScorePart> parts;
  double offset_seconds = 0;  // where in the track the film's first frame falls
  nlohmann::json metadata = nlohmann::json::object();
};

// The sum of value * weight.
double total_of(const std::vector<ScorePart>& parts);

// {"id", "score", "offset_seconds", "parts": [{"name", "value", "weight"}], "metadata"}: found by
// `nlohmann::json document = hit`.
void to_json(nlohmann::json& json, const ScorePart& part);
void to_json(nlohmann::json& json, const Hit& hit);

}  // namespace vmr::retrieval
