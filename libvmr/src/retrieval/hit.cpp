#include "vmr/retrieval/hit.h"

namespace vmr::retrieval {

double total_of(const std::vector<ScorePart>& parts) {
  double total = 0;
  for (const ScorePart& part : parts) total += part.value * part.weight;
  return total;
}

void to_json(nlohmann::json& json, const ScorePart& part) {
  json = {{"name", part.name}, {"value", part.value}, {"weight", part.weight}};
}

void to_json(nlohmann::json& json, const Hit& hit) {
  json = {{"id", hit.id},
          {"score", hit.score},
          {"offset_seconds", hit.offset_seconds},
          {"parts", hit.parts},
          {"metadata", hit.metadata}};
}

}  // namespace vmr::retrieval
