#include "vmr/text/bert_encoder.h"

#include <torch/torch.h>

#include <cmath>

#include "vmr/core/error.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::text {
namespace {

using Children = std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>>;
using torch::nn::ModuleDict;

constexpr int64_t kFarthest = 128;  // distances from here on share the last bucket of a side

torch::nn::LayerNorm make_norm(const BertEncoderOptions& options) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.dim()}).eps(options.norm_eps()));
}

struct LinearParts {
  torch::nn::Linear query, key, value, out;
};

// The names of the published keys: attention.self.query, attention.output.dense, ..., of MPNet
// attention.attn.q, ..., attention.attn.o.
ModuleDict make_attention(const BertEncoderOptions& options, const LinearParts& parts) {
  if (options.kind() == BertKind::mpnet) {
    ModuleDict attn(Children{{"q", parts.query.ptr()},
                             {"k", parts.key.ptr()},
                             {"v", parts.value.ptr()},
                             {"o", parts.out.ptr()}});
    return ModuleDict(Children{{"attn", attn.ptr()}, {"LayerNorm", make_norm(options).ptr()}});
  }
  ModuleDict self(Children{
      {"query", parts.query.ptr()}, {"key", parts.key.ptr()}, {"value", parts.value.ptr()}});
  ModuleDict output(Children{{"dense", parts.out.ptr()}, {"LayerNorm", make_norm(options).ptr()}});
  return ModuleDict(Children{{"self", self.ptr()}, {"output", output.ptr()}});
}

// Post-norm: x = norm(x + attention(x)), then x = norm(x + feed_forward(x)).
class BertLayerImpl : public torch::nn::Cloneable<BertLayerImpl> {
 public:
  explicit BertLayerImpl(const BertEncoderOptions& options_) : options(options_) { reset(); }

  void reset() override {
    const auto dim = options.dim(), wide = options.feed_forward();
    const auto linear = [](int64_t from, int64_t to) { return torch::nn::Linear(from, to); };
    attention =
        register_module("attention", make_attention(options, {linear(dim, dim), linear(dim, dim),
                                                              linear(dim, dim), linear(dim, dim)}));
    intermediate =
        register_module("intermediate", ModuleDict(Children{{"dense", linear(dim, wide).ptr()}}));
    output =
        register_module("output", ModuleDict(Children{{"dense", linear(wide, dim).ptr()},
                                                      {"LayerNorm", make_norm(options).ptr()}}));
  }

  // bias: what is added to the scores, or the bool mask of keys, [batch or 1, heads or 1, ., time].
  at::Tensor forward(const at::Tensor& x, const std::optional<at::Tensor>& bias) {
    const auto added = dropped(attended(x, bias));
    const bool mpnet = options.kind() == BertKind::mpnet;
    const auto middle = norm(mpnet ? *attention : child(*attention, "output"), x + added);
    const auto wide = at::gelu(apply(*intermediate, "dense", middle));
    return norm(*output, middle + dropped(apply(*output, "dense", wide)));
  }

 private:
  static torch::nn::ModuleDictImpl& child(torch::nn::ModuleDictImpl& dict, const char* name) {
    return dict.at<torch::nn::ModuleDictImpl>(name);
  }
  static at::Tensor apply(torch::nn::ModuleDictImpl& dict, const char* name, const at::Tensor& x) {
    return dict.at<torch::nn::LinearImpl>(name).forward(x);
  }
  static at::Tensor norm(torch::nn::ModuleDictImpl& dict, const at::Tensor& x) {
    return dict.at<torch::nn::LayerNormImpl>("LayerNorm").forward(x);
  }
  at::Tensor dropped(const at::Tensor& x) const {
    return at::dropout(x, options.dropout(), is_training());
  }

  at::Tensor attended(const at::Tensor& x, const std::optional<at::Tensor>& bias) {
    const bool mpnet = options.kind() == BertKind::mpnet;
    auto& parts = child(*attention, mpnet ? "attn" : "self");
    const auto heads = [&](const char* name) {
      return apply(parts, name, x)
          .unflatten(2, {options.heads(), options.dim() / options.heads()})
          .transpose(1, 2);
    };
    const auto context = at::scaled_dot_product_attention(
        heads(mpnet ? "q" : "query"), heads(mpnet ? "k" : "key"), heads(mpnet ? "v" : "value"),
        bias, is_training() ? options.dropout() : 0.0);
    const auto joined = context.transpose(1, 2).flatten(2);
    return mpnet ? apply(parts, "o", joined) : apply(child(*attention, "output"), "dense", joined);
  }

 public:
  BertEncoderOptions options;
  ModuleDict attention{nullptr}, intermediate{nullptr}, output{nullptr};
};
TORCH_MODULE(BertLayer);

void validate(const BertEncoderOptions& o) {
  const std::pair<const char*, int64_t> sizes[] = {{"vocabulary", o.vocabulary()},
                                                   {"dim", o.dim()},
                                                   {"layers", o.layers()},
                                                   {"heads", o.heads()},
                                                   {"feed_forward", o.feed_forward()},
                                                   {"token_types", o.token_types()}};
  for (const auto& [name, value] : sizes) {
    VMR_CHECK(value >= 1, "BertEncoder: ", name, " = ", value, ", expected at least 1");
  }
  VMR_CHECK(o.dim() % o.heads() == 0, "BertEncoder: dim = ", o.dim(),
            ", expected a multiple of heads = ", o.heads());
  const auto first = o.kind() == BertKind::bert ? 0 : o.pad_id() + 1;
  VMR_CHECK(o.pad_id() >= 0 && o.positions() > first, "BertEncoder: positions = ", o.positions(),
            ", pad_id = ", o.pad_id(), ", expected room for positions from ", first, " on");
  VMR_CHECK(o.relative_buckets() >= 4 && o.relative_buckets() % 4 == 0,
            "BertEncoder: relative_buckets = ", o.relative_buckets(), ", expected a multiple of 4");
  VMR_CHECK(o.dropout() >= 0 && o.dropout() < 1, "BertEncoder: dropout = ", o.dropout(),
            ", expected in [0, 1)");
}

// Buckets of the distances key - query, [time, time] int64.
at::Tensor distance_buckets(int64_t time, int64_t buckets) {
  const auto place = at::arange(time, at::kLong);
  const auto forward = place.unsqueeze(0) - place.unsqueeze(1);
  const int64_t side = buckets / 2, exact = side / 2;
  const auto distance = forward.abs();
  // float32 as the published code, so that the bucket's edges fall alike.
  const auto ratio = at::log(distance.clamp_min(1).to(at::kFloat) / double(exact)) /
                     std::log(double(kFarthest) / double(exact));
  const auto far = (exact + (ratio * double(side - exact)).to(at::kLong)).clamp_max(side - 1);
  return at::where(distance < exact, distance, far) + (forward > 0).to(at::kLong) * side;
}

}  // namespace

BertEncoderImpl::BertEncoderImpl(const BertEncoderOptions& options_) : options(options_) {
  validate(options);
  reset();
}

void BertEncoderImpl::reset() {
  const auto table = [&](int64_t rows, int64_t width) {
    if (!options.draw()) {
      const auto weight = torch::empty({rows, width});
      return torch::nn::Embedding(torch::nn::EmbeddingOptions(rows, width)._weight(weight)).ptr();
    }
    torch::nn::Embedding embedding(rows, width);
    const torch::NoGradGuard no_grad;
    embedding->weight.mul_(0.02);  // N(0, 0.02 squared), as in the published pre-trainings
    return embedding.ptr();
  };
  const auto dim = options.dim();
  Children tables{{"word_embeddings", table(options.vocabulary(), dim)},
                  {"position_embeddings", table(options.positions(), dim)}};
  if (options.kind() != BertKind::mpnet) {
    tables.emplace_back("token_type_embeddings", table(options.token_types(), dim));
  }
  tables.emplace_back("LayerNorm", make_norm(options).ptr());
  embeddings = register_module("embeddings", ModuleDict(tables));

  torch::nn::ModuleList layers;
  for (int64_t i = 0; i < options.layers(); ++i) layers->push_back(BertLayer(options));
  Children parts{{"layer", layers.ptr()}};
  if (options.kind() == BertKind::mpnet) {
    parts.emplace_back("relative_attention_bias",
                       table(options.relative_buckets(), options.heads()));
  }
  encoder = register_module("encoder", ModuleDict(parts));
}

int64_t BertEncoderImpl::max_time() const {
  return options.positions() - (options.kind() == BertKind::bert ? 0 : options.pad_id() + 1);
}

// [1, heads, time, time], added to the scores.
at::Tensor BertEncoderImpl::distance_bias(int64_t time) {
  auto& table = encoder->at<torch::nn::EmbeddingImpl>("relative_attention_bias");
  const auto buckets = distance_buckets(time, options.relative_buckets());
  return table.forward(buckets.to(table.weight.device())).permute({2, 0, 1}).unsqueeze(0);
}

at::Tensor BertEncoderImpl::forward(const at::Tensor& ids, const at::Tensor& mask) {
  VMR_CHECK(ids.dim() == 2 && ids.scalar_type() == at::kLong && ids.size(1) >= 1 &&
                ids.size(1) <= max_time(),
            "BertEncoder: expected ids [batch, 1 to ", max_time(), "] int64, got ", ids.sizes(),
            " ", ids.scalar_type());
  const auto time = ids.size(1);
  nn::check_mask(mask, ids.size(0), time, "BertEncoder");
  VMR_CHECK(ids.numel() == 0 || (ids.min().item<int64_t>() >= 0 &&
                                 ids.max().item<int64_t>() < options.vocabulary()),
            "BertEncoder: ids from ", ids.min().item<int64_t>(), " to ", ids.max().item<int64_t>(),
            ", expected in [0, ", options.vocabulary(), ")");
  const auto rows = [&](const char* name) -> const at::Tensor& {
    return embeddings->at<torch::nn::EmbeddingImpl>(name).weight;
  };
  auto x = at::embedding(rows("word_embeddings"), ids);
  if (options.kind() != BertKind::mpnet) x = x + rows("token_type_embeddings")[0];
  x = x + rows("position_embeddings").narrow(0, options.positions() - max_time(), time);
  x = embeddings->at<torch::nn::LayerNormImpl>("LayerNorm").forward(x);
  x = at::dropout(x, options.dropout(), is_training());

  std::optional<at::Tensor> bias;
  if (mask.defined()) bias = mask.view({ids.size(0), 1, 1, time});
  if (options.kind() == BertKind::mpnet) {
    const auto distances = distance_bias(time).to(x.scalar_type());
    const auto low = -std::numeric_limits<double>::infinity();
    bias = bias ? distances.masked_fill(bias->logical_not(), low) : distances;
  }
  auto& layers = encoder->at<torch::nn::ModuleListImpl>("layer");
  for (size_t i = 0; i < layers.size(); ++i) {
    x = layers.ptr<BertLayerImpl>(i)->forward(x, bias);
  }
  return x;
}

}  // namespace vmr::text
