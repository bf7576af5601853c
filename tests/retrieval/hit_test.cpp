// Pins the JSON form of a hit and the sum of its parts.
#include "vmr/retrieval/hit.h"

#include <gtest/gtest.h>

namespace vmr::retrieval {
namespace {

TEST(Hit, HasTheDocumentedJsonForm) {
  Hit hit{.id = "m1", .parts = {{"embedding", 0.5, 0.6}, {"beats_on_cuts", 0.25, 0.4}}};
  hit.score = total_of(hit.parts);
  hit.offset_seconds = 1.5;
  hit.metadata = {{"title", "Deep"}};
  EXPECT_DOUBLE_EQ(hit.score, 0.4);
  const nlohmann::json document = hit;
  EXPECT_EQ(document, nlohmann::json::parse(R"({
    "id": "m1", "score": 0.4, "offset_seconds": 1.5, "metadata": {"title": "Deep"},
    "parts": [{"name": "embedding", "value": 0.5, "weight": 0.6},
              {"name": "beats_on_cuts", "value": 0.25, "weight": 0.4}]})"));
}

}  // namespace
}  // namespace vmr::retrieval
