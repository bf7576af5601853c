// vmr convert: foreign files as ours. Here: the weights of a PyTorch checkpoint as safetensors.
#include "convert.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/store/safetensors.h"
#include "vmr/store/torch_checkpoint.h"

namespace vmr::apps {
namespace {

using Options = ConvertOptions;

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;
using Texts = std::vector<std::pair<std::string, std::string>>;

nlohmann::json to_json(const Tensors& tensors) {
  auto list = nlohmann::json::array();
  for (const auto& [name, tensor] : tensors) {
    list.push_back({{"name", name},
                    {"shape", tensor.sizes().vec()},
                    {"dtype", c10::getDtypeNames(tensor.scalar_type()).first}});
  }
  return list;
}

nlohmann::json to_json(const Texts& texts, const char* text_key) {
  auto list = nlohmann::json::array();
  for (const auto& [name, text] : texts) list.push_back({{"name", name}, {text_key, text}});
  return list;
}

void print(const nlohmann::json& tensors) {
  for (const auto& tensor : tensors) {
    std::printf("%s  %s  %s\n", tensor["name"].get<std::string>().c_str(),
                tensor["shape"].dump().c_str(), tensor["dtype"].get<std::string>().c_str());
  }
}

void print(const Texts& texts, const char* title) {
  if (!texts.empty()) std::printf("%s:\n", title);
  for (const auto& [name, text] : texts) {
    constexpr size_t kShown = 60;
    std::printf("  %s = %s\n", name.c_str(),
                (text.size() > kShown ? text.substr(0, kShown - 3) + "..." : text).c_str());
  }
}

// Everything the file holds.
int list(const Options& options, const store::TorchCheckpoint& checkpoint) {
  const auto tensors = to_json(checkpoint.tensors);
  if (options.common.json) {
    print_json({{"format", checkpoint.format},
                {"tensors", tensors},
                {"values", to_json(checkpoint.values, "value")},
                {"objects", to_json(checkpoint.opaque, "type")},
                {"modules", to_json(checkpoint.modules, "type")}});
    return kDone;
  }
  print(tensors);
  print(checkpoint.values, "values");
  print(checkpoint.opaque, "objects that are not understood");
  print(checkpoint.modules, "whole modules, which are not read");
  return kDone;
}

// Configurations are told by their names; a checkpoint may have any.
bool is_config(const Options& options) {
  return options.input.ends_with(".yaml") || options.input.ends_with(".yml") ||
         options.as == "matching" || options.as.starts_with("pretrain_");
}

int weights(const Options& options) {
  VMR_CHECK(options.list == options.out.empty(),
            "convert: expected either a file to write or --list, got ",
            options.list ? "both" : "neither");
  const auto checkpoint = store::read_torch_checkpoint(options.input);
  if (options.list) return list(options, checkpoint);
  const auto weights = store::find_state_dict(checkpoint, options.key);
  try {
    store::write_safetensors(options.out, weights.tensors, {{"format", "pt"}});
  } catch (const InvalidArgument& error) {  // the file's fault, not the command line's
    throw StoreError(options.input + ": " + plain(error.what()) +
                     "; in Python, save it as another dtype or name, or without it");
  }
  const auto tensors = to_json(weights.tensors);
  if (options.common.json) {
    print_json({{"out", options.out},
                {"format", checkpoint.format},
                {"key", weights.key},
                {"removed_prefix", weights.prefix},
                {"tensors", tensors}});
    return kDone;
  }
  print(tensors);
  std::printf("%zu tensors written to %s", tensors.size(), options.out.c_str());
  if (!weights.key.empty()) std::printf(", from under \"%s\"", weights.key.c_str());
  if (!weights.prefix.empty()) std::printf(", without the prefix %s", weights.prefix.c_str());
  std::printf("\n");
  return kDone;
}

// An option that would be passed over was meant for something else.
void check_options(const Options& options) {
  const bool config = is_config(options);
  std::error_code absent;
  VMR_CHECK(options.out.empty() || !std::filesystem::equivalent(options.input, options.out, absent),
            "convert: ", options.out, " is the file to read; name another one to write");
  VMR_CHECK(!options.list || (options.as.empty() && !config),
            "convert: --list writes nothing and goes with a checkpoint alone, without --as");
  VMR_CHECK(!config || options.key.empty(), "convert: --key is for weights, but ", options.input,
            " is read as a configuration");
  for (const auto& [name, given] :
       {std::pair{"--strict", options.strict}, {"--corrected", options.corrected}}) {
    VMR_CHECK(
        config || !given, "convert: ", name, " is for configurations, but ", options.input,
        " is read as weights; --as matching, pretrain_audio or pretrain_video says otherwise");
  }
  VMR_CHECK(config || options.recipe.empty() || !options.as.empty(),
            "convert: --recipe needs --as, which says what is made of ", options.input);
}

int run(const Options& options) {
  check_options(options);
  if (is_config(options)) return convert_config(options);
  if (options.as.empty()) return weights(options);
  const auto known = {"conformer-audio", "conformer-video", "ut_cmvmr"};
  VMR_CHECK(std::find(known.begin(), known.end(), options.as) != known.end(), "convert: --as ",
            options.as,
            ": expected conformer-audio, conformer-video or ut_cmvmr for weights, "
            "matching, pretrain_audio or pretrain_video for a configuration");
  return convert_weights(options);
}

}  // namespace

Command add_convert(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand("convert",
                                  "a PyTorch checkpoint's weights as safetensors or as a run of "
                                  "the published UT-CMVMR networks "
                                  "(nothing in it is run); their configuration as a recipe");
  add_common(*app, options->common);
  app->add_option("input", options->input,
                  "file of torch.save (.pth, .pt, .ckpt, .bin), or configuration (.yaml)")
      ->required();
  app->add_option("out", options->out, "safetensors file, folder of the run, or recipe to write");
  app->add_option("--key", options->key,
                  "key under which the weights lie; without it state_dict, model and other usual "
                  "ones are tried");
  app->add_flag("--list", options->list,
                "write nothing; list all tensors, values and objects of the file");
  app->add_option("--as", options->as,
                  "weights: make a run of them, conformer-audio, conformer-video or ut_cmvmr; "
                  "configuration: what it is of, matching, pretrain_audio or pretrain_video "
                  "(without it its keys tell)");
  app->add_option("--recipe", options->recipe,
                  "configuration: recipe that has what it does not speak of (ut_cmvmr_se_r); "
                  "weights as a run: the recipe that says what the network reads");
  app->add_flag("--corrected", options->corrected,
                "without the published code's mistakes, which else become reference_behaviour");
  app->add_flag("--strict", options->strict,
                "write nothing where a configuration has unknown keys (else: exit code 1)");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
