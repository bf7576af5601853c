#include "vmr/model/ut_cmvmr.h"

#include "model/copy_weights.h"
#include "model/read_options.h"
#include "model/ut_cmvmr_nets.h"
#include "vmr/core/error.h"

namespace vmr::model {
namespace {

void check_evaluating(const UtCmvmr& model, const char* what) {
  VMR_CHECK(!model.is_training(), "UtCmvmr::", what,
            ": the model is in training mode; call eval() first");
}

// Rows [rows, dim] of pairs -> [rows, 1]. A slice has the length of the root of its weight.
at::Tensor negative_distance(const at::Tensor& a, const at::Tensor& b,
                             const std::vector<ScoreSlice>& slices) {
  const auto difference = a - b;
  auto sum = at::zeros({a.size(0), 1}, a.options());
  for (const auto& slice : slices) {
    const auto part = difference.slice(1, slice.begin, slice.end);
    sum -= std::sqrt(slice.weight) * part.norm(2, 1, /*keepdim=*/true);
  }
  return sum;
}

const UtCmvmrOptions& validated(const UtCmvmrOptions& options) {
  validate(options);
  return options;
}

}  // namespace

UtCmvmr::UtCmvmr(const UtCmvmrOptions& options)
    : options_(validated(options)), nets_(std::make_unique<Nets>(*this, options_)) {}

UtCmvmr::~UtCmvmr() = default;

ModelInputs model_inputs(const UtCmvmrOptions& o) {
  auto inputs = clip_model_inputs(o);
  inputs.text_dim = o.text_dim;
  inputs.negatives = uses_negatives(o);
  return inputs;
}

ModelInputs UtCmvmr::inputs() const { return model_inputs(options_); }

at::Tensor UtCmvmr::embed_music(const data::FeatureMap& music) {
  check_evaluating(*this, "embed_music");
  const at::NoGradGuard no_grad;
  const auto phi = nets_->encode_music(music);
  const auto theta = nets_->A_proj(nets_->music_alone(phi));
  return nets_->vector(theta, nets_->D(theta)).unsqueeze(1);
}

at::Tensor UtCmvmr::embed_video(const data::FeatureMap& video) {
  check_evaluating(*this, "embed_video");
  const at::NoGradGuard no_grad;
  const auto phi = nets_->encode_video(video);
  const auto theta = nets_->V_proj(nets_->video_alone(phi));
  return nets_->vector(theta, nets_->D(theta)).unsqueeze(1);
}

std::optional<at::Tensor> UtCmvmr::embed_text(const at::Tensor& text) {
  if (options_.text_dim == 0) return std::nullopt;
  check_evaluating(*this, "embed_text");
  const at::NoGradGuard no_grad;
  VMR_CHECK(text.dim() == 2 && text.size(1) == options_.text_dim,
            "UtCmvmr::embed_text: expected [batch, ", options_.text_dim, "], got ", text.sizes());
  const auto theta = nets_->W_proj(unit_rows(text.to(nets_->pos_emb1D.scalar_type())));
  return nets_->vector(theta, nets_->D(theta)).unsqueeze(1);
}

std::optional<at::Tensor> UtCmvmr::prepare_music(const data::FeatureMap& music) {
  check_evaluating(*this, "prepare_music");
  const at::NoGradGuard no_grad;
  return nets_->encode_music(music);
}

std::optional<at::Tensor> UtCmvmr::prepare_video(const data::FeatureMap& video) {
  check_evaluating(*this, "prepare_video");
  const at::NoGradGuard no_grad;
  return nets_->encode_video(video);
}

at::Tensor UtCmvmr::score_prepared(const at::Tensor& video, const at::Tensor& music,
                                   PairScoring scoring, Distance distance) {
  check_evaluating(*this, "score_prepared");
  const at::NoGradGuard no_grad;
  auto& n = *nets_;
  const auto slices = score_slices();
  const auto score = [&](const at::Tensor& theta_a, const at::Tensor& theta_v) {
    const auto a = n.vector(theta_a, n.D(theta_a)), v = n.vector(theta_v, n.D(theta_v));
    return distance == Distance::cosine ? (a * v).sum(1, /*keepdim=*/true)
                                        : negative_distance(a, v, slices);
  };
  return n.of_all_pairs(video, music, scoring, score).squeeze(2);
}

at::Tensor UtCmvmr::tag_scores(const at::Tensor& video, const at::Tensor& music) {
  check_evaluating(*this, "tag_scores");
  VMR_CHECK(options_.tags > 0,
            "UtCmvmr::tag_scores: the model has no tag classifier; train it with "
            "model.tags and loss.tag_softmax");
  const at::NoGradGuard no_grad;
  auto& n = *nets_;
  return n.of_all_pairs(video, music, PairScoring::own,
                        [&](const at::Tensor& theta_a, const at::Tensor& theta_v) {
                          return n.damsoftmax_loss(n.D(theta_a), n.D(theta_v));
                        });
}

std::shared_ptr<torch::nn::Module> UtCmvmr::clone(const std::optional<at::Device>& device) const {
  auto copy = std::make_shared<UtCmvmr>(options_);
  copy_weights(*this, *copy, device);
  return copy;
}

}  // namespace vmr::model
