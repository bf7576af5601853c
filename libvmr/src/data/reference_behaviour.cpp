#include "vmr/data/reference_behaviour.h"

#include <nlohmann/json.hpp>

#include "vmr/core/json_reader.h"

namespace vmr::data {
namespace {

// One list of switches for reading, writing and setting.
template <typename Behaviour, typename Visit>
void visit_switches(Behaviour& b, Visit&& visit) {
  visit("bilinear_frames", b.bilinear_frames);
  visit("bgr_grey", b.bgr_grey);
  visit("unscaled_grey", b.unscaled_grey);
  visit("embed_in_training", b.embed_in_training);
  visit("validate_in_training", b.validate_in_training);
  visit("remainder_to_one_tag", b.remainder_to_one_tag);
  visit("positive_as_negative", b.positive_as_negative);
  visit("unnormalised_negatives", b.unnormalised_negatives);
  visit("unnormalised_text", b.unnormalised_text);
  visit("freeze_pair_positions", b.freeze_pair_positions);
  visit("repeat_clips_elementwise", b.repeat_clips_elementwise);
  visit("same_track_negatives", b.same_track_negatives);
  visit("separate_statistics", b.separate_statistics);
  visit("normalise_over_clips", b.normalise_over_clips);
  visit("raw_tag_products", b.raw_tag_products);
  visit("adversarial_subtracted", b.adversarial_subtracted);
}

}  // namespace

ReferenceBehaviour all_reference_behaviour() {
  ReferenceBehaviour behaviour;
  visit_switches(behaviour, [](const char*, bool& on) { on = true; });
  return behaviour;
}

ReferenceBehaviour reference_behaviour(const nlohmann::json& object) {
  ReferenceBehaviour behaviour;
  JsonReader reader(object, "reference_behaviour");
  visit_switches(behaviour, [&](const char* key, bool& on) { reader.field(key, on); });
  reader.finish();
  return behaviour;
}

nlohmann::json to_json(const ReferenceBehaviour& behaviour) {
  auto object = nlohmann::json::object();
  visit_switches(behaviour, [&](const char* key, bool on) {
    if (on) object[key] = true;
  });
  return object;
}

}  // namespace vmr::data
