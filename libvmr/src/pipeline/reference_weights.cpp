#include "vmr/pipeline/reference_weights.h"

#include <torch/torch.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "core/file_io.h"
#include "pipeline/clip_encoder.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/model/ut_cmvmr.h"
#include "vmr/store/torch_checkpoint.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/conformer_task.h"
#include "vmr/video/clip_flow.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Tensors = std::map<std::string, at::Tensor>;
// Fields of the recipe with the values that shapes give them.
using Derived = std::vector<std::pair<std::string, int64_t>>;

Tensors without(Tensors tensors, ImportedWeights& result,
                const std::function<bool(const std::string&)>& unused) {
  std::erase_if(tensors, [&](const auto& item) {
    const bool out = unused(item.first);
    if (out) result.left_out.push_back(item.first);
    return out;
  });
  return tensors;
}

Tensors read_weights(const fs::path& checkpoint, const std::string& key, ImportedWeights& result) {
  auto found = store::find_state_dict(store::read_torch_checkpoint(checkpoint), key);
  result.key = found.key;
  result.prefix = found.prefix;
  return Tensors(found.tensors.begin(), found.tensors.end());
}

bool is_position_table(const std::string& name) { return name == "pe" || name.ends_with(".pe"); }

// Size of a tensor's axis; 0 where there is no such tensor.
int64_t size_of(const Tensors& tensors, const std::string& name, int64_t axis) {
  const auto found = tensors.find(name);
  return found == tensors.end() || found->second.dim() <= axis ? 0 : found->second.size(axis);
}

// Number of N in prefix + "N."; 0 where there is none.
int64_t count_layers(const Tensors& tensors, const std::string& prefix) {
  std::set<std::string> numbers;
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(prefix)) continue;
    const auto rest = name.substr(prefix.size());
    numbers.insert(rest.substr(0, rest.find('.')));
  }
  return int64_t(numbers.size());
}

void derive(Derived& derived, const std::string& field, int64_t value) {
  if (value > 0) derived.emplace_back(field, value);
}

// All that does not fit; empty where everything does.
std::string misfit(const Tensors& given, const torch::nn::Module& module) {
  std::string missing, unexpected, wrong;
  std::set<std::string> known;
  for (const auto& [name, target] : train::state_dict(module)) {
    known.insert(name);
    const auto found = given.find(name);
    if (found == given.end()) {
      missing += vmr::detail::concat("\n    ", name, " ", target.sizes());
    } else if (found->second.sizes() != target.sizes()) {
      wrong += vmr::detail::concat("\n    ", name, ": expected ", target.sizes(), ", came ",
                                   found->second.sizes());
    }
  }
  for (const auto& [name, tensor] : given) {
    if (known.count(name) == 0) {
      unexpected += vmr::detail::concat("\n    ", name, " ", tensor.sizes());
    }
  }
  std::string text;
  if (!missing.empty()) text += "\n  missing:" + missing;
  if (!unexpected.empty()) text += "\n  unexpected:" + unexpected;
  if (!wrong.empty()) text += "\n  of another shape:" + wrong;
  return text;
}

// `of_recipe`: the value of a field of the recipe.
void check_fit(const Tensors& given, const torch::nn::Module& module, const std::string& file,
               const Derived& derived,
               const std::function<int64_t(const std::string& field)>& of_recipe) {
  const auto text = misfit(given, module);
  if (text.empty()) return;
  std::string advice;
  for (const auto& [field, value] : derived) {
    const int64_t asked = of_recipe(field);
    if (asked != value)
      advice += vmr::detail::concat("\n    ", field, ": ", value, " (now ", asked, ")");
  }
  throw InvalidArgument(file + " does not fit the recipe" + text +
                        (advice.empty() ? "\n  no field of the recipe explains it; is it a "
                                          "checkpoint of this network?"
                                        : "\n  by its shapes the recipe should have:" + advice));
}

void check_new(const fs::path& run_folder) {
  VMR_CHECK(!fs::exists(run_folder) || (fs::is_directory(run_folder) && fs::is_empty(run_folder)),
            run_folder.string(), ": expected a folder that is new or empty, for the run");
}

void write_run(const fs::path& run_folder, const torch::nn::Module& module, const json& model,
               const Recipe& recipe, json about, const fs::path& checkpoint) {
  about["seed"] = 0;
  about["features"] = json::object();
  about["imported"] = {{"file", checkpoint.filename().string()}, {"sha256", hash_file(checkpoint)}};
  // "run/" is "run".
  const auto folder = run_folder.has_filename() ? run_folder : run_folder.parent_path();
  vmr::detail::replace_folder(folder, [&](const fs::path& aside) {
    fs::create_directories(aside / "checkpoints");
    train::write_checkpoint(aside / "checkpoints" / "step-00000000", module, model);
    vmr::detail::write_file_atomically(aside / "recipe.json", to_json(recipe).dump(2) + "\n");
    vmr::detail::write_file_atomically(aside / "about.json", about.dump(2) + "\n");
  });
}

std::vector<std::pair<std::string, at::Tensor>> listed(const Tensors& tensors) {
  return {tensors.begin(), tensors.end()};
}

int64_t input_width(const Recipe& recipe, const std::string& modality, const PretrainRecipe& part) {
  const std::string expected = modality == "audio" ? "fbank" : "grey_clips";
  VMR_CHECK(part.input == expected, "pretrain.", modality, ".input: expected \"", expected,
            "\", which the published encoder reads, got \"", part.input, "\"");
  if (modality == "video") return recipe.extract.width * recipe.extract.clip_frames();
  VMR_CHECK(recipe.extract.fbank.has_value(),
            "extract.features: expected fbank, which the published encoder reads");
  return recipe.extract.fbank->mels;
}

Derived conformer_shape(const Tensors& tensors, const std::string& prefix) {
  const std::string block = "encoder.layers.0.sequential.";
  const auto dim = size_of(tensors, "encoder.conv_subsample.sequential.0.weight", 0);
  Derived derived;
  derive(derived, prefix + "dim", dim);
  derive(derived, prefix + "layers", count_layers(tensors, "encoder.layers."));
  derive(derived, prefix + "heads", size_of(tensors, block + "1.module.attention.u_bias", 0));
  derive(derived, prefix + "kernel",
         size_of(tensors, block + "2.module.sequential.4.conv.weight", 2));
  if (dim == 0) return derived;
  derive(derived, prefix + "feed_forward_expansion",
         size_of(tensors, block + "0.module.sequential.1.weight", 0) / dim);
  derive(derived, prefix + "conv_expansion",
         size_of(tensors, block + "2.module.sequential.2.conv.weight", 0) / dim);
  derive(derived, "steps left of the input (extract.features.fbank.mels or extract.frames.size)",
         size_of(tensors, "encoder.input_projection.0.weight", 1) / dim);
  return derived;
}

int64_t conformer_field(const PretrainRecipe& part, int64_t width, const std::string& field) {
  const auto name = field.substr(field.rfind('.') + 1);
  if (name == "dim") return part.dim;
  if (name == "layers") return part.layers;
  if (name == "heads") return part.heads;
  if (name == "kernel") return part.kernel;
  if (name == "feed_forward_expansion") return part.feed_forward_expansion;
  if (name == "conv_expansion") return part.conv_expansion;
  return nn::conformer_steps(width);
}

constexpr char kEncoderWidth[] = "encoder.heads x head_width";
constexpr char kCrossWidth[] = "cross.heads x head_width";

Derived matching_shape(const Tensors& tensors) {
  Derived derived;
  const auto add = [&](const char* field, const char* name, int64_t axis) {
    derive(derived, field, size_of(tensors, name, axis));
  };
  add("music_dim", "A_enc.net.0.weight", 1);
  add("video_dim", "V_enc.net.0.weight", 1);
  add("text_dim", "W_proj.net.0.weight", 1);
  add("theta_dim", "D.net.0.weight", 1);
  add("rho_dim", "pos_emb1D", 1);
  add("encoder_hidden", "A_enc.net.0.weight", 0);
  add("projection_hidden", "A_proj.net.0.weight", 0);
  add("encoder.feed_forward", "A_enc_former.layers.0.1.fn.net.0.weight", 0);
  add("cross.feed_forward", "cross_attention.layers.0.1.fn.net.0.weight", 0);
  derive(derived, "encoder.layers", count_layers(tensors, "A_enc_former.layers."));
  derive(derived, "cross.layers", count_layers(tensors, "cross_attention.layers."));
  // Queries, keys and values of all heads lie in one matrix.
  derive(derived, kEncoderWidth,
         size_of(tensors, "A_enc_former.layers.0.0.fn.to_qkv.weight", 0) / 3);
  derive(derived, kCrossWidth,
         size_of(tensors, "cross_attention.layers.0.0.fn.to_qkv.weight", 0) / 3);
  add("flow_classes", "V_optic_embed.optic_displacement_embed.weight", 0);
  return derived;
}

json::json_pointer place_of(const std::string& field) {
  auto place = "/" + field;
  std::replace(place.begin(), place.end(), '.', '/');
  return json::json_pointer(place);
}

bool is_product(const std::string& field) { return field == kEncoderWidth || field == kCrossWidth; }

constexpr char kRhythmFlow[] = "rhythm_flow (0 = false)";

int64_t matching_field(const model::UtCmvmrOptions& options, const json& config,
                       const std::string& field) {
  if (field == kEncoderWidth) return options.encoder.heads * options.encoder.head_width;
  if (field == kCrossWidth) return options.cross.heads * options.cross.head_width;
  if (field == kRhythmFlow) return options.rhythm_flow ? 1 : 0;
  return config.at(place_of(field));
}

// Heads of terms that are off, and norms that the published classes make and never call.
bool is_spare(const std::string& name, const model::UtCmvmrOptions& options) {
  if (is_position_table(name) || name.starts_with("ce_match_loss.bn") ||
      name.starts_with("damsoftmax_loss.bn")) {
    return true;
  }
  return (options.tags == 0 && name.starts_with("damsoftmax_loss.")) ||
         (options.loss.adversarial == 0 && name.starts_with("adv_loss."));
}

// The recipe's model with what it leaves open taken from the shapes.
json filled_config(const Recipe& recipe, const Tensors& tensors, const Derived& shape) {
  json config = recipe.model;
  model::matching_model_inputs(config);  // types and names, before anything is put into it
  for (const auto& [field, value] : shape) {
    if (!is_product(field) && !config.contains(place_of(field))) config[place_of(field)] = value;
  }
  if (!config.contains("rhythm_flow")) {
    config["rhythm_flow"] = tensors.count("A_rhythm_embed.n_beat_embed.weight") > 0;
  }
  if (!recipe.loss.empty()) config["loss"] = recipe.loss;
  if (recipe.reference != data::ReferenceBehaviour()) {
    config["reference"] = data::to_json(recipe.reference);
  }
  return config;
}

}  // namespace

ImportedWeights import_conformer(const fs::path& checkpoint, const std::string& modality,
                                 const Recipe& recipe, const fs::path& run_folder,
                                 const std::string& key) {
  check_new(run_folder);
  const auto found = recipe.pretrain.find(modality);
  VMR_CHECK(found != recipe.pretrain.end(), "recipe \"", recipe.name, "\" has no pretrain.",
            modality, "; parts are named audio and video");
  const auto& part = found->second;
  const auto width = input_width(recipe, modality, part);
  ImportedWeights result;
  auto tensors = without(read_weights(checkpoint, key, result), result, is_position_table);
  constexpr char kHead[] = "classification.weight";
  const bool head = tensors.count(kHead) > 0;
  const auto classes = head ? std::max<int64_t>(1, size_of(tensors, kHead, 0)) : 1;
  nn::Conformer net(conformer_options(part, width, classes));
  if (!head) {
    // An encoder alone embeds as well; a head of one class keeps its place.
    tensors[kHead] = at::zeros({1, part.dim});
    result.made_up.push_back(kHead);
  }
  const auto prefix = "pretrain." + modality + ".";
  check_fit(tensors, *net, checkpoint.string(), conformer_shape(tensors, prefix),
            [&](const std::string& field) { return conformer_field(part, width, field); });
  train::load_state_dict(listed(tensors), *net, checkpoint.string());
  result.weights_hash = train::weights_hash(*net);
  const json model = {
      {"kind", "conformer"}, {"options", train::to_json(net->options)}, {"classes", json::array()}};
  write_run(run_folder, *net, model, recipe,
            {{"run", "pretrain"},
             {"modality", modality},
             {"input", part.input},
             {"output", part.output},
             {"label", part.label},
             {"embed_in_training", recipe.reference.embed_in_training}},
            checkpoint);
  return result;
}

ImportedWeights import_ut_cmvmr(const fs::path& checkpoint, const Recipe& recipe,
                                const fs::path& run_folder, const std::string& key) {
  check_new(run_folder);
  VMR_CHECK(recipe.model.value("kind", "") == "ut_cmvmr", "recipe \"", recipe.name,
            "\" has the model ", recipe.model.value("kind", "(none)"),
            ", but the checkpoint is one of ut_cmvmr");
  ImportedWeights result;
  auto tensors = read_weights(checkpoint, key, result);
  const auto shape = matching_shape(tensors);
  const auto options = model::ut_cmvmr_options(filled_config(recipe, tensors, shape));
  tensors = without(std::move(tensors), result,
                    [&](const std::string& name) { return is_spare(name, options); });
  model::UtCmvmr net(options);
  for (const char* partner : {"null_music", "null_video"}) {
    if (tensors.count(partner) > 0) continue;
    tensors[partner] = at::zeros({options.rho_dim});
    result.made_up.push_back(partner);
  }
  const json config = net.config();
  Derived advice;
  for (const auto& [field, value] : shape) advice.emplace_back("model." + field, value);
  const std::string prefix = "model.";
  advice.emplace_back(prefix + kRhythmFlow,
                      int64_t(tensors.count("A_rhythm_embed.n_beat_embed.weight")));
  check_fit(tensors, net, checkpoint.string(), advice, [&](const std::string& field) {
    return matching_field(options, config, field.substr(prefix.size()));
  });
  train::load_state_dict(listed(tensors), net, checkpoint.string());
  result.weights_hash = train::weights_hash(net);
  auto run_recipe = recipe;
  run_recipe.model.update(config);
  for (const char* part : {"loss", "reference"}) run_recipe.model.erase(part);
  json about = {{"run", "train"}, {"tags", json::array()}};
  if (options.rhythm_flow) {
    about["clip_flow_edges"] = json::parse(video::to_json(video::reference_edges()));
  }
  write_run(run_folder, net, config, run_recipe, about, checkpoint);
  return result;
}

}  // namespace vmr::pipeline
