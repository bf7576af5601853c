#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "vmr/core/json_reader.h"
#include "vmr/model/matching_model.h"
#include "vmr/model/ut_cmvmr.h"

namespace vmr::model {
namespace {

using Builder = std::function<std::shared_ptr<MatchingModel>(const nlohmann::json&)>;

const std::map<std::string, Builder>& builders() {
  static const std::map<std::string, Builder> table = {
      {"ut_cmvmr",
       [](const nlohmann::json& config) {
         return std::make_shared<UtCmvmr>(ut_cmvmr_options(config));
       }},
  };
  return table;
}

}  // namespace

std::shared_ptr<MatchingModel> make_matching_model(const nlohmann::json& config) {
  JsonReader reader(config, "model");
  std::string kind;
  reader.field("kind", kind);
  std::vector<std::string> kinds;
  for (const auto& [name, unused] : builders()) kinds.push_back(name);
  const auto found = builders().find(kind);
  if (found == builders().end()) {
    const auto near = nearest_name(kind, kinds);
    reader.fail("kind", kind.empty() ? "no kind of model given; known: " + kinds.front()
                                     : "unknown kind \"" + kind + "\"; nearest known: " +
                                           (near.empty() ? kinds.front() : near));
  }
  return found->second(config);
}

}  // namespace vmr::model
