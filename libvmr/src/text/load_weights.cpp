#include "text/load_weights.h"

#include <torch/torch.h>

#include "vmr/core/error.h"
#include "vmr/store/safetensors.h"
#include "vmr/store/torch_checkpoint.h"

namespace vmr::text::detail {
namespace {

constexpr std::string_view kAnchor = "embeddings.word_embeddings.weight";

std::string encoder_prefix(const NamedTensors& tensors, const std::string& source) {
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with(kAnchor)) return name.substr(0, name.size() - kAnchor.size());
  }
  throw StoreError(vmr::detail::concat("SentenceEncoder: ", source, " has no tensor ", kAnchor,
                                       " among ", tensors.size(),
                                       "; expected the weights of a BERT, XLM-R or MPNet"));
}

bool is_left_out(std::string_view name) {
  return name.starts_with("pooler.") || name == "embeddings.position_ids" ||
         name == "embeddings.token_type_ids";
}

// One line of the report, empty where there is nothing to say.
std::string listed(const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string line = vmr::detail::concat("\n  ", names.size(), " ", title, ":");
  for (const auto& name : names) line += " " + name;
  return line;
}

}  // namespace

NamedTensors read_weights(const std::filesystem::path& folder) {
  const auto path = folder / "model.safetensors";
  if (std::filesystem::exists(path)) return store::read_safetensors(path).tensors;
  const auto older = folder / "pytorch_model.bin";
  if (std::filesystem::exists(older)) {
    return store::find_state_dict(store::read_torch_checkpoint(older)).tensors;
  }
  throw StoreError("SentenceEncoder: " + folder.string() +
                   " has neither model.safetensors nor pytorch_model.bin");
}

void check_sizes(const BertEncoderOptions& options, const NamedTensors& tensors,
                 const std::string& source) {
  const auto prefix = encoder_prefix(tensors, source);
  const auto check = [&](const std::string& name, std::vector<int64_t> sizes) {
    for (const auto& [full_name, tensor] : tensors) {
      if (full_name != prefix + name || tensor.sizes() == at::IntArrayRef(sizes)) continue;
      throw StoreError(vmr::detail::concat("SentenceEncoder: the weights in ", source,
                                           " do not fit config.json: ", name, " is ",
                                           tensor.sizes(), ", expected ", at::IntArrayRef(sizes)));
    }
  };
  check("embeddings.word_embeddings.weight", {options.vocabulary(), options.dim()});
  check("embeddings.position_embeddings.weight", {options.positions(), options.dim()});
  check("embeddings.token_type_embeddings.weight", {options.token_types(), options.dim()});
  check("encoder.relative_attention_bias.weight", {options.relative_buckets(), options.heads()});
  check("encoder.layer.0.intermediate.dense.weight", {options.feed_forward(), options.dim()});
  const auto layers = std::count_if(tensors.begin(), tensors.end(), [](const auto& tensor) {
    return tensor.first.ends_with("intermediate.dense.weight");
  });
  if (options.layers() > layers) {
    throw StoreError(vmr::detail::concat("SentenceEncoder: the weights in ", source, " have ",
                                         layers, " layers, config.json ", options.layers()));
  }
}

void load_weights(BertEncoder& net, const NamedTensors& tensors, const std::string& source) {
  const torch::NoGradGuard no_grad;
  const auto prefix = encoder_prefix(tensors, source);
  auto parameters = net->named_parameters();
  std::vector<std::string> missing, unexpected, wrong;
  std::vector<std::string> found;
  for (const auto& [full_name, tensor] : tensors) {
    if (!full_name.starts_with(prefix)) continue;
    const auto name = full_name.substr(prefix.size());
    if (is_left_out(name)) continue;
    auto* parameter = parameters.find(name);
    if (parameter == nullptr) {
      unexpected.push_back(name);
      continue;
    }
    found.push_back(name);
    if (parameter->sizes() == tensor.sizes()) {
      parameter->set_data(tensor.to(at::kFloat).contiguous());
    } else {
      wrong.push_back(vmr::detail::concat(name, " ", tensor.sizes(), " for ", parameter->sizes()));
    }
  }
  std::sort(found.begin(), found.end());
  for (const auto& item : parameters) {
    if (!std::binary_search(found.begin(), found.end(), item.key())) missing.push_back(item.key());
  }
  if (missing.empty() && unexpected.empty() && wrong.empty()) return;
  throw StoreError("SentenceEncoder: the weights in " + source + " do not fit config.json" +
                   listed("missing", missing) + listed("unexpected", unexpected) +
                   listed("of another shape", wrong));
}

}  // namespace vmr::text::detail
