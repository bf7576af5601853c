#include <nlohmann/json.hpp>

#include "model/clip_inputs.h"
#include "model/model_checks.h"
#include "model/read_options.h"
#include "vmr/core/json_reader.h"

namespace vmr::model {
namespace {

const std::vector<std::pair<std::string, nn::Initialisation>> kInitialisations = {
    {"he_normal", nn::Initialisation::he_normal},
    {"xavier_normal", nn::Initialisation::xavier_normal}};

const std::vector<std::pair<std::string, LossSet>> kLossSets = {{"code", LossSet::code},
                                                                {"paper", LossSet::paper}};

const std::vector<std::pair<std::string, Distance>> kDistances = {{"cosine", Distance::cosine},
                                                                  {"l2", Distance::l2}};

template <typename Value>
std::string name_of(Value value, const std::vector<std::pair<std::string, Value>>& choices) {
  for (const auto& [name, known] : choices) {
    if (known == value) return name;
  }
  return "";
}

// One list of fields for both directions: `visit(key, field)` reads or writes.
template <typename Options, typename Visit>
void visit_attention(Options& o, Visit&& visit) {
  visit("layers", o.layers);
  visit("heads", o.heads);
  visit("head_width", o.head_width);
  visit("feed_forward", o.feed_forward);
  visit("dropout", o.dropout);
}

template <typename Loss, typename Visit>
void visit_loss(Loss& o, Visit&& visit) {
  visit("triplet", o.triplet);
  visit("regular", o.regular);
  visit("text", o.text);
  visit("match", o.match);
  visit("rank", o.rank);
  visit("independent", o.independent);
  visit("structure", o.structure);
  visit("tag_softmax", o.tag_softmax);
  visit("adversarial", o.adversarial);
  visit("mismatched", o.mismatched);
  visit("music_triplet", o.music_triplet);
  visit("video_triplet", o.video_triplet);
  visit("item_triplet", o.item_triplet);
  visit("reconstruction", o.reconstruction);
  visit("tag_theta", o.tag_theta);
  visit("first_triplet", o.first_triplet);
  visit("second_triplet", o.second_triplet);
  visit("tag_negative", o.tag_negative);
  visit("margin", o.margin);
  visit("rank_margin", o.rank_margin);
  visit("independent_margin", o.independent_margin);
  visit("mismatched_margin", o.mismatched_margin);
  visit("tag_margin", o.tag_margin);
  visit("tag_scale", o.tag_scale);
  visit("rank_top", o.rank_top);
  visit("structure_top", o.structure_top);
}

template <typename Options, typename Visit>
void visit_options(Options& o, Visit&& visit) {
  visit_clip_inputs(o, visit);
  visit("text_dim", o.text_dim);
  visit("tags", o.tags);
  visit("sequence", o.sequence);
  visit("theta_dim", o.theta_dim);
  visit("rho_dim", o.rho_dim);
  visit("encoder_hidden", o.encoder_hidden);
  visit("projection_hidden", o.projection_hidden);
  visit("embed_dropout", o.embed_dropout);
  visit("momentum", o.momentum);
  visit("keep_prob", o.keep_prob);
  visit("theta_weight", o.theta_weight);
}

template <typename Number>
void check_range(const char* field, Number value, double low, double high) {
  model::check_range("UtCmvmr", field, value, low, high);
}

void validate(const char* name, const AttentionOptions& o) {
  const auto check = [&](const char* field, double value, double low, double high) {
    check_range(detail::concat(name, ".", field).c_str(), value, low, high);
  };
  check("layers", o.layers, 1, 100);
  check("heads", o.heads, 1, 1000);
  check("head_width", o.head_width, 1, 1e5);
  check("feed_forward", o.feed_forward, 1, 1e6);
  check("dropout", o.dropout, 0, 0.99);
}

void validate(const UtCmvmrLoss& w) {
  check_range("loss.rank_top", w.rank_top, 1, 1e9);
  check_range("loss.structure_top", w.structure_top, 3, 1e9);
  check_range("loss.tag_scale", w.tag_scale, 1e-3, 1e6);
  for (const auto& [name, weight] : {std::pair{"triplet", w.triplet},
                                     {"music_triplet", w.music_triplet},
                                     {"video_triplet", w.video_triplet},
                                     {"item_triplet", w.item_triplet},
                                     {"regular", w.regular},
                                     {"reconstruction", w.reconstruction},
                                     {"tag_theta", w.tag_theta},
                                     {"text", w.text},
                                     {"match", w.match},
                                     {"rank", w.rank},
                                     {"independent", w.independent},
                                     {"structure", w.structure},
                                     {"tag_softmax", w.tag_softmax},
                                     {"adversarial", w.adversarial},
                                     {"mismatched", w.mismatched}}) {
    check_range(detail::concat("loss.", name).c_str(), weight, 0, 1e6);
  }
}

}  // namespace

void validate(const UtCmvmrOptions& o) {
  validate_clip_inputs(o, "UtCmvmr");
  check_range("text_dim", o.text_dim, 0, kLargestDim);
  check_range("theta_dim", o.theta_dim, 1, kLargestDim);
  check_range("rho_dim", o.rho_dim, 2, kLargestDim);
  check_range("encoder_hidden", o.encoder_hidden, 0, kLargestDim);
  check_range("projection_hidden", o.projection_hidden, 0, kLargestDim);
  check_range("embed_dropout", o.embed_dropout, 0, 0.99);
  check_range("momentum", o.momentum, 1e-6, 1);
  check_range("keep_prob", o.keep_prob, 0.01, 1);
  check_range("theta_weight", o.theta_weight, 0, 1);
  validate(o.loss);
  VMR_CHECK(o.loss.tag_softmax == 0 || o.tags >= 2, "UtCmvmr: tags = ", o.tags,
            " with loss.tag_softmax = ", o.loss.tag_softmax, "; expected at least 2 tag classes");
  validate("encoder", o.encoder);
  validate("cross", o.cross);
  VMR_CHECK(o.text_dim == 0 || o.loss.text == 0 || o.text_dim == o.rho_dim,
            "UtCmvmr: rho_dim = ", o.rho_dim, ", text_dim = ", o.text_dim,
            "; the text term compares rho with the sentence vector: make them equal or set "
            "loss.text to 0");
  const auto& w = o.loss;
  VMR_CHECK(w.rank + w.independent + w.match + w.regular * w.reconstruction + w.mismatched > 0,
            "UtCmvmr: all of loss.rank, independent, match, mismatched and regular x "
            "reconstruction are 0; nothing "
            "would train");
}

UtCmvmrOptions read_ut_cmvmr_options(const nlohmann::json& config) {
  UtCmvmrOptions o;
  JsonReader reader(config, "model");
  reader.ignore("kind");
  const auto into = [](JsonReader& from) {
    return [&from](const char* key, auto& value) { from.field(key, value); };
  };
  visit_options(o, into(reader));
  reader.choice("initialisation", o.initialisation, kInitialisations);
  reader.object("encoder", [&](JsonReader& r) { visit_attention(o.encoder, into(r)); });
  reader.object("cross", [&](JsonReader& r) { visit_attention(o.cross, into(r)); });
  reader.object("loss", [&](JsonReader& r) {
    r.choice("set", o.loss.set, kLossSets);
    r.choice("distance", o.loss.distance, kDistances);
    visit_loss(o.loss, into(r));
  });
  if (reader.has("reference")) o.reference = data::reference_behaviour(reader.raw("reference"));
  reader.finish();
  return o;
}

UtCmvmrOptions ut_cmvmr_options(const nlohmann::json& config) {
  auto options = read_ut_cmvmr_options(config);
  validate(options);
  return options;
}

nlohmann::json UtCmvmr::config() const {
  nlohmann::json config;
  const auto into = [](nlohmann::json& to) {
    return [&to](const char* key, const auto& value) { to[key] = value; };
  };
  config["kind"] = kind();
  visit_options(options_, into(config));
  config["initialisation"] = name_of(options_.initialisation, kInitialisations);
  visit_attention(options_.encoder, into(config["encoder"]));
  visit_attention(options_.cross, into(config["cross"]));
  visit_loss(options_.loss, into(config["loss"]));
  config["loss"]["set"] = name_of(options_.loss.set, kLossSets);
  config["loss"]["distance"] = name_of(options_.loss.distance, kDistances);
  config["reference"] = data::to_json(options_.reference);
  return config;
}

}  // namespace vmr::model
