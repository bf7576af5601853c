// Configurations of the published UT-CMVMR code (arXiv 2309.09421) as recipes: the matching
// network's config_pre_rhythm.yaml and the two config_proto.yaml of its Conformers. A recipe needs
// all three: convert one, then the next with the result as base. Stateless, thread-safe.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

#include "vmr/pipeline/recipe.h"

namespace vmr::pipeline {

struct ReferenceConfigOptions {
  // "matching", "pretrain_audio", "pretrain_video"; "" = told from the keys.
  std::string kind;
  // Also what the published code does with any configuration: its mistakes as switches of
  // reference_behaviour (without embed_in_training and validate_in_training, under which results
  // depend on chance), beats and flow classes as published, 550 steps an epoch, its set of
  // loss terms and none of ours, no dropout in the embedding nets. false: the configuration's
  // values alone.
  bool as_published = true;
};

struct ReferenceConfig {
  Recipe recipe;
  std::string kind;                  // which of the three it is
  std::vector<std::string> unknown;  // keys that the published code lacks too
  std::vector<std::pair<std::string, std::string>> unused;  // known key, why no field has it
  std::map<std::string, std::string> files;  // key -> path of data, see reference_data.h
};

// `base` has what the configuration does not speak of.
// Throws: StoreError where unreadable; InvalidArgument naming file, key, value and range for every
// value that does not fit; NotBuilt without yaml-cpp.
ReferenceConfig read_reference_config(const std::filesystem::path& path, const Recipe& base,
                                      const ReferenceConfigOptions& options = {});
// The same of values that were read otherwise; `file` names them in errors.
ReferenceConfig reference_config(const nlohmann::json& values, const std::string& file,
                                 const Recipe& base, const ReferenceConfigOptions& options = {});

}  // namespace vmr::pipeline
