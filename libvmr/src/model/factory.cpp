#include <map>
#include <nlohmann/json.hpp>

#include "model/read_options.h"
#include "vmr/core/json_reader.h"

namespace vmr::model {
namespace {

struct Kind {
  std::shared_ptr<MatchingModel> (*make)(const nlohmann::json& config);
  ModelInputs (*inputs)(const nlohmann::json& config);
};

template <typename Model, auto read>
Kind kind() {
  return {[](const nlohmann::json& config) -> std::shared_ptr<MatchingModel> {
            return std::make_shared<Model>(read(config));
          },
          [](const nlohmann::json& config) { return model_inputs(read(config)); }};
}

const Kind& find_kind(const nlohmann::json& config) {
  static const std::map<std::string, Kind> table = {
      {"cbvmr", kind<Cbvmr, read_cbvmr_options>()},
      {"cmvae", kind<Cmvae, read_cmvae_options>()},
      {"ut_cmvmr", kind<UtCmvmr, read_ut_cmvmr_options>()},
  };
  JsonReader reader(config, "model");
  std::string name;
  reader.field("kind", name);
  const auto found = table.find(name);
  if (found != table.end()) return found->second;
  std::vector<std::string> names;
  std::string known;
  for (const auto& [other, unused] : table) {
    names.push_back(other);
    known += (known.empty() ? "" : ", ") + other;
  }
  const auto near = nearest_name(name, names);
  reader.fail("kind", (name.empty() ? "no kind of model given" : "unknown kind \"" + name + "\"") +
                          (near.empty() ? "" : "; did you mean \"" + near + "\"?") +
                          " (known: " + known + ")");
}

}  // namespace

std::shared_ptr<MatchingModel> make_matching_model(const nlohmann::json& config) {
  return find_kind(config).make(config);
}

ModelInputs matching_model_inputs(const nlohmann::json& config) {
  return find_kind(config).inputs(config);
}

}  // namespace vmr::model
