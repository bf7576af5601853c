#include <nlohmann/json.hpp>

#include "model/clip_inputs.h"
#include "model/model_checks.h"
#include "model/read_options.h"
#include "vmr/core/json_reader.h"

namespace vmr::model {
namespace {

const std::vector<std::pair<std::string, loss::StructureWindow>> kStructures = {
    {"vm_net", loss::StructureWindow::vm_net}, {"ut_cmvmr", loss::StructureWindow::ut_cmvmr}};

// One list of fields for both directions: `visit(key, field)` reads or writes.
template <typename Options, typename Visit>
void visit_options(Options& o, Visit&& visit) {
  visit_clip_inputs(o, visit);
  visit("music_hidden", o.music_hidden);
  visit("video_hidden", o.video_hidden);
  visit("embedding_dim", o.embedding_dim);
  visit("first_norm", o.first_norm);
  visit("linear", o.linear);
  visit("dropout", o.dropout);
}

template <typename Loss, typename Visit>
void visit_loss(Loss& o, Visit&& visit) {
  visit("music_to_video", o.music_to_video);
  visit("video_to_music", o.video_to_music);
  visit("music_structure", o.music_structure);
  visit("video_structure", o.video_structure);
  visit("margin", o.margin);
  visit("rank_top", o.rank_top);
  visit("count_masked", o.count_masked);
  visit("structure_window", o.structure_window);
}

}  // namespace

void validate(const CbvmrOptions& o) {
  validate_clip_inputs(o, "Cbvmr");
  const auto check = [](const char* field, double value, double low, double high) {
    check_range("Cbvmr", field, value, low, high);
  };
  for (const auto width : o.music_hidden) check("music_hidden", width, 1, kLargestDim);
  for (const auto width : o.video_hidden) check("video_hidden", width, 1, kLargestDim);
  check("embedding_dim", o.embedding_dim, 1, kLargestDim);
  check("dropout", o.dropout, 0, 0.99);
  const auto& w = o.loss;
  check("loss.music_to_video", w.music_to_video, 0, 1e6);
  check("loss.video_to_music", w.video_to_music, 0, 1e6);
  check("loss.music_structure", w.music_structure, 0, 1e6);
  check("loss.video_structure", w.video_structure, 0, 1e6);
  check("loss.margin", w.margin, 0, 2);
  check("loss.rank_top", w.rank_top, 1, 1e9);
  check("loss.structure_window", w.structure_window, 3, 1e9);
  VMR_CHECK(w.music_to_video + w.video_to_music > 0,
            "Cbvmr: loss.music_to_video and loss.video_to_music are both 0; nothing would bring "
            "the two sides together");
}

CbvmrOptions read_cbvmr_options(const nlohmann::json& config) {
  CbvmrOptions o;
  JsonReader reader(config, "model");
  reader.ignore("kind");
  const auto into = [](JsonReader& from) {
    return [&from](const char* key, auto& value) { from.field(key, value); };
  };
  visit_options(o, into(reader));
  reader.object("loss", [&](JsonReader& r) {
    visit_loss(o.loss, into(r));
    r.choice("structure", o.loss.structure, kStructures);
  });
  reader.finish();
  return o;
}

nlohmann::json Cbvmr::config() const {
  nlohmann::json config;
  const auto into = [](nlohmann::json& to) {
    return [&to](const char* key, const auto& value) { to[key] = value; };
  };
  config["kind"] = kind();
  visit_options(options_, into(config));
  visit_loss(options_.loss, into(config["loss"]));
  for (const auto& [name, value] : kStructures) {
    if (value == options_.loss.structure) config["loss"]["structure"] = name;
  }
  return config;
}

}  // namespace vmr::model
