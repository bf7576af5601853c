// The stages of `vmr demo`, in the order in which they are called. Each prints its heading and the
// command that does the same, reuses what an earlier run left, and puts what it found into the
// summary. After an interrupt the rest do nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "shared.h"
#include "vmr/pipeline/recipe.h"
#include "vmr/pipeline/runs.h"
#include "vmr/store/manifest.h"

namespace vmr::apps {

class Demo {
 public:
  Demo(std::filesystem::path folder, bool small, Common common);

  void synthesise();
  void extract();
  void pretrain(const std::string& modality);  // "audio" or "video"; embeds its clips too
  void train();
  void evaluate();
  void index();
  void match();  // the first test film, with its report and preview

  nlohmann::json summary() const;

 private:
  // A stage: its time is taken, and an interrupt keeps it from beginning.
  void stage(const std::string& name, const std::string& command,
             const std::function<void()>& body);
  std::string in(const std::string& name) const { return (folder_ / name).string(); }

  const std::filesystem::path folder_;
  const bool small_;
  const Common common_;
  const pipeline::Recipe recipe_;
  const pipeline::TrainOptions run_options_;
  const RunControl control_;
  store::Manifest manifest_;
  nlohmann::json summary_, seconds_ = nlohmann::json::array();
  double total_seconds_ = 0;
};

}  // namespace vmr::apps
