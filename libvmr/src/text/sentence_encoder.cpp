#include "vmr/text/sentence_encoder.h"

#include <torch/torch.h>

#include <numeric>

#include "text/load_weights.h"
#include "text/sentence_folder.h"
#include "text/unicode.h"
#include "vmr/core/error.h"
#include "vmr/nn/masked_mean.h"

namespace vmr::text {
namespace {

using Ids = std::vector<int64_t>;

at::Tensor pool(detail::Pooling pooling, const at::Tensor& tokens, const at::Tensor& mask) {
  switch (pooling) {
    case detail::Pooling::cls:
      return tokens.select(1, 0);
    case detail::Pooling::max:
      return tokens
          .masked_fill(mask.logical_not().unsqueeze(2), -std::numeric_limits<float>::infinity())
          .amax(1);
    case detail::Pooling::mean:
      return nn::masked_mean(tokens, mask);
  }
  VMR_ASSERT(false, "pool: a pooling of no name");
}

// Ids of one batch, padded to the longest, and their mask.
std::pair<at::Tensor, at::Tensor> pad(const std::vector<Ids>& rows, const int64_t* order,
                                      int64_t count, int64_t pad_id) {
  size_t time = 0;
  for (int64_t i = 0; i < count; ++i) time = std::max(time, rows[order[i]].size());
  const auto ids = at::full({count, static_cast<int64_t>(time)}, pad_id, at::kLong);
  const auto mask = at::zeros(ids.sizes(), at::kBool);
  for (int64_t i = 0; i < count; ++i) {
    const auto& row = rows[order[i]];
    std::copy(row.begin(), row.end(), ids[i].data_ptr<int64_t>());
    mask[i].narrow(0, 0, static_cast<int64_t>(row.size())).fill_(true);
  }
  return {ids, mask};
}

}  // namespace

void validate(const SentenceEncoderOptions& options) {
  VMR_CHECK(options.max_tokens == 0 || options.max_tokens >= 3,
            "SentenceEncoder: max_tokens = ", options.max_tokens,
            ", expected 0 (what the folder says) or at least 3");
  VMR_CHECK(options.batch >= 1, "SentenceEncoder: batch = ", options.batch,
            ", expected at least 1");
}

struct SentenceEncoder::Impl {
  SentenceEncoderOptions options;
  detail::SentenceFolder folder;
  std::unique_ptr<Tokenizer> tokenizer;
  BertEncoder net;
  int64_t max_tokens = 0;

  Ids ids_of(const std::string& text) const {
    if (!folder.lower_case) return tokenizer->encode(text, max_tokens);
    const auto lowered = detail::to_utf8(detail::lower(detail::code_points(text)));
    return tokenizer->encode(lowered, max_tokens);
  }

  at::Tensor vectors(const at::Tensor& ids, const at::Tensor& mask) {
    const auto real = mask.to(options.device);
    const auto tokens = net->forward(ids.to(options.device), real);
    std::vector<at::Tensor> parts;
    for (const auto pooling : folder.pooling) parts.push_back(pool(pooling, tokens, real));
    const auto pooled = at::cat(parts, 1);
    if (!folder.normalise) return pooled.cpu();
    return (pooled / pooled.norm(2, 1, /*keepdim=*/true).clamp_min(1e-12)).cpu();
  }
};

SentenceEncoder::SentenceEncoder(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SentenceEncoder::SentenceEncoder(SentenceEncoder&&) noexcept = default;
SentenceEncoder& SentenceEncoder::operator=(SentenceEncoder&&) noexcept = default;
SentenceEncoder::~SentenceEncoder() = default;

SentenceEncoder SentenceEncoder::open(const std::filesystem::path& path,
                                      const SentenceEncoderOptions& options) {
  validate(options);
  auto folder = detail::read_sentence_folder(path);
  auto tokenizer = open_tokenizer(folder.transformer);
  const auto weights = detail::read_weights(folder.transformer);
  const auto source = folder.transformer.string();
  detail::check_sizes(folder.encoder, weights, source);  // before memory is taken by them
  BertEncoder net(folder.encoder.draw(false));
  // A tokenizer may know fewer ids than the table has rows (padded to a round number), never more.
  if (tokenizer->size() > folder.encoder.vocabulary()) {
    throw StoreError(vmr::detail::concat(
        "SentenceEncoder: the tokenizer in ", folder.transformer.string(), " has ",
        tokenizer->size(), " ids, config.json a vocabulary of ", folder.encoder.vocabulary()));
  }
  detail::load_weights(net, weights, source);
  net->to(options.device);
  net->eval();
  auto most = options.max_tokens > 0 ? options.max_tokens : folder.max_tokens;
  if (most <= 0 || most > net->max_time()) most = net->max_time();
  return SentenceEncoder(std::make_unique<Impl>(
      Impl{options, std::move(folder), std::move(tokenizer), std::move(net), most}));
}

std::vector<std::filesystem::path> SentenceEncoder::files(const std::filesystem::path& folder) {
  return detail::read_sentence_folder(folder).files;
}

at::Tensor SentenceEncoder::encode(const std::vector<std::string>& texts) const {
  const at::NoGradGuard no_grad;
  std::vector<Ids> rows;
  for (size_t i = 0; i < texts.size(); ++i) {
    try {
      rows.push_back(impl_->ids_of(texts[i]));
    } catch (const InvalidArgument& error) {
      throw InvalidArgument(
          vmr::detail::concat("SentenceEncoder::encode: text ", i, ": ", error.what()));
    }
  }
  // Texts of like length together, so that little of a batch is padding.
  std::vector<int64_t> order(texts.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return rows[a].size() > rows[b].size(); });
  const auto result = at::empty({static_cast<int64_t>(texts.size()), dim()}, at::kFloat);
  for (size_t begin = 0; begin < order.size(); begin += static_cast<size_t>(impl_->options.batch)) {
    const auto count = std::min(impl_->options.batch, static_cast<int64_t>(order.size() - begin));
    const auto [ids, mask] = pad(rows, &order[begin], count, impl_->tokenizer->special().pad);
    const auto vectors = impl_->vectors(ids, mask);
    for (int64_t i = 0; i < count; ++i) result[order[begin + i]].copy_(vectors[i]);
  }
  return result;
}

int64_t SentenceEncoder::dim() const {
  return impl_->folder.encoder.dim() * static_cast<int64_t>(impl_->folder.pooling.size());
}
bool SentenceEncoder::normalises() const { return impl_->folder.normalise; }
int64_t SentenceEncoder::max_tokens() const { return impl_->max_tokens; }
const Tokenizer& SentenceEncoder::tokenizer() const { return *impl_->tokenizer; }

}  // namespace vmr::text
