#include <nlohmann/json.hpp>

#include "model/clip_inputs.h"
#include "model/model_checks.h"
#include "model/read_options.h"
#include "vmr/core/json_reader.h"

namespace vmr::model {
namespace {

const std::vector<std::pair<std::string, loss::GapMatching>> kMatchings = {
    {"hinge", loss::GapMatching::hinge}, {"gap_max", loss::GapMatching::gap_max}};
const std::vector<std::pair<std::string, DecoderActivation>> kActivations = {
    {"relu", DecoderActivation::relu}, {"none", DecoderActivation::none}};

// One list of fields for both directions: `visit(key, field)` reads or writes.
template <typename Options, typename Visit>
void visit_options(Options& o, Visit&& visit) {
  visit_clip_inputs(o, visit);
  visit("text_dim", o.text_dim);
  visit("text_share", o.text_share);
  visit("latent_dim", o.latent_dim);
  visit("dropout", o.dropout);
  visit("poe_prior", o.poe_prior);
}

template <typename Loss, typename Visit>
void visit_loss(Loss& o, Visit&& visit) {
  visit("reconstruct", o.reconstruct);
  visit("divergence", o.divergence);
  visit("match", o.match);
  visit("margin", o.margin);
  visit("top", o.top);
}

}  // namespace

void validate(const CmvaeOptions& o) {
  validate_clip_inputs(o, "Cmvae");
  const auto check = [](const char* field, double value, double low, double high) {
    check_range("Cmvae", field, value, low, high);
  };
  check("text_dim", o.text_dim, 0, kLargestDim);
  check("text_share", o.text_share, 0, 1);
  check("latent_dim", o.latent_dim, 1, kLargestDim);
  check("dropout", o.dropout, 0, 0.99);
  const auto& w = o.loss;
  check("loss.reconstruct", w.reconstruct, 0, 1e6);
  check("loss.divergence", w.divergence, 0, 1e6);
  check("loss.match", w.match, 0, 1e6);
  check("loss.margin", w.margin, 0, 2);
  check("loss.top", w.top, 1, 1e9);
  VMR_CHECK(w.reconstruct + w.match > 0,
            "Cmvae: loss.reconstruct and loss.match are both 0; nothing would bring the two sides "
            "together");
}

CmvaeOptions read_cmvae_options(const nlohmann::json& config) {
  CmvaeOptions o;
  JsonReader reader(config, "model");
  reader.ignore("kind");
  const auto into = [](JsonReader& from) {
    return [&from](const char* key, auto& value) { from.field(key, value); };
  };
  visit_options(o, into(reader));
  reader.choice("decoder_activation", o.decoder_activation, kActivations);
  reader.object("loss", [&](JsonReader& r) {
    visit_loss(o.loss, into(r));
    r.choice("matching", o.loss.matching, kMatchings);
  });
  reader.finish();
  return o;
}

nlohmann::json Cmvae::config() const {
  nlohmann::json config;
  const auto into = [](nlohmann::json& to) {
    return [&to](const char* key, const auto& value) { to[key] = value; };
  };
  config["kind"] = kind();
  visit_options(options_, into(config));
  for (const auto& [name, value] : kActivations) {
    if (value == options_.decoder_activation) config["decoder_activation"] = name;
  }
  visit_loss(options_.loss, into(config["loss"]));
  for (const auto& [name, value] : kMatchings) {
    if (value == options_.loss.matching) config["loss"]["matching"] = name;
  }
  return config;
}

}  // namespace vmr::model
