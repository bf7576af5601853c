#include "vmr/model/cmvae.h"

#include "model/clip_inputs.h"
#include "model/cmvae_nets.h"
#include "model/copy_weights.h"
#include "model/model_checks.h"
#include "model/read_options.h"
#include "model/unit_rows.h"
#include "vmr/core/error.h"

namespace vmr::model {
namespace {

constexpr double kSmallestNorm = 1e-12;

const CmvaeOptions& validated(const CmvaeOptions& options) {
  validate(options);
  return options;
}

at::Tensor checked_text(const at::Tensor& text, int64_t batch, int64_t dim, const char* who) {
  VMR_CHECK(text.defined() && text.dim() == 2 && text.size(0) == batch && text.size(1) == dim, who,
            ": expected text [", batch, ", ", dim, "], got ",
            text.defined() ? detail::concat(text.sizes()) : std::string("none"),
            "; set text_dim to 0 for data without tags");
  return text;
}

}  // namespace

struct Cmvae::Nets {
  Nets(Cmvae& owner, const CmvaeOptions& o) : inputs(owner, o, "Cmvae"), options(o) {
    const auto encoder = [&](const char* name, int64_t dim) {
      return owner.register_module(name, GaussianEncoder(dim, o.latent_dim, o.dropout));
    };
    const auto decoder = [&](const char* name, int64_t dim) {
      return owner.register_module(name,
                                   FeatureDecoder(o.latent_dim, dim, o.dropout,
                                                  o.decoder_activation == DecoderActivation::relu));
    };
    music_encoder = encoder("music_encoder", o.music_dim);
    video_encoder = encoder("video_encoder", o.video_dim);
    if (o.text_dim > 0) text_encoder = encoder("text_encoder", o.text_dim);
    music_decoder = decoder("music_decoder", o.music_dim);
    video_decoder = decoder("video_decoder", o.video_dim);
    if (o.text_dim > 0) text_decoder = decoder("text_decoder", o.text_dim);
  }

  at::Tensor music_input(const data::FeatureMap& music) const {
    return mean_clips(inputs.music(music, music_encoder->mean->weight));
  }
  at::Tensor video_input(const data::FeatureMap& video) const {
    return mean_clips(inputs.video(video, video_encoder->mean->weight));
  }
  // The posterior of films from what is known of them.
  loss::Gaussian fuse(const std::vector<loss::Expert>& experts) const {
    if (experts.size() == 1 && !options.poe_prior) return experts[0].belief;
    return loss::product_of_experts(experts, options.poe_prior);
  }
  at::Tensor latent(const loss::Gaussian& posterior, bool training) const {
    return training ? loss::sample(posterior, at::randn_like(posterior.mean)) : posterior.mean;
  }

  ClipInputs inputs;
  const CmvaeOptions& options;
  GaussianEncoder music_encoder{nullptr}, video_encoder{nullptr}, text_encoder{nullptr};
  FeatureDecoder music_decoder{nullptr}, video_decoder{nullptr}, text_decoder{nullptr};
};

Cmvae::Cmvae(const CmvaeOptions& options)
    : options_(validated(options)), nets_(std::make_unique<Nets>(*this, options_)) {}

Cmvae::~Cmvae() = default;

ModelInputs model_inputs(const CmvaeOptions& options) {
  auto inputs = clip_model_inputs(options);
  inputs.text_dim = options.text_dim;
  return inputs;
}

ModelInputs Cmvae::inputs() const { return model_inputs(options_); }

at::Tensor Cmvae::embed_music(const data::FeatureMap& music) {
  check_evaluating(*this, "Cmvae::embed_music");
  const at::NoGradGuard no_grad;
  const auto belief = nets_->music_encoder(nets_->music_input(music));
  return unit_rows(belief.mean, kSmallestNorm).unsqueeze(1);
}

at::Tensor Cmvae::embed_video(const data::FeatureMap& video) {
  check_evaluating(*this, "Cmvae::embed_video");
  const at::NoGradGuard no_grad;
  const auto film = nets_->fuse({loss::Expert{nets_->video_encoder(nets_->video_input(video)), {}}});
  return unit_rows(film.mean, kSmallestNorm).unsqueeze(1);
}

std::optional<at::Tensor> Cmvae::embed_text(const at::Tensor& text) {
  if (options_.text_dim == 0) return std::nullopt;
  check_evaluating(*this, "Cmvae::embed_text");
  const at::NoGradGuard no_grad;
  const auto words = checked_text(text, text.size(0), options_.text_dim, "Cmvae::embed_text");
  const auto like = nets_->music_encoder->mean->weight.scalar_type();
  const auto film = nets_->fuse({loss::Expert{nets_->text_encoder(words.to(like)), {}}});
  return unit_rows(film.mean, kSmallestNorm).unsqueeze(1);
}

loss::Terms Cmvae::loss(const data::PairBatch& batch) {
  auto& n = *nets_;
  const auto& w = options_.loss;
  const auto music_in = n.music_input(batch.music), video_in = n.video_input(batch.video);
  check_pairs(*this, music_in, video_in, "Cmvae::loss");
  const auto size = music_in.size(0);
  std::vector<loss::Expert> views = {{n.video_encoder(video_in), {}}};
  at::Tensor words;
  if (options_.text_dim > 0) {
    words = checked_text(batch.text, size, options_.text_dim, "Cmvae::loss").to(music_in);
    const auto shown = at::rand({size}, music_in.options()) < options_.text_share;
    views.push_back({n.text_encoder(words), is_training() ? shown : at::Tensor()});
  }
  const auto music = n.music_encoder(music_in), video = n.fuse(views);
  const auto z_music = n.latent(music, is_training()), z_video = n.latent(video, is_training());

  loss::Terms terms;
  if (w.reconstruct > 0) {
    const auto add = [&](const char* name, FeatureDecoder& decoder, const at::Tensor& z,
                         const at::Tensor& features) {
      terms.add(name, w.reconstruct, at::mse_loss(decoder(z), features.detach()));
    };
    add("reconstruct_music", n.music_decoder, z_video, music_in);
    add("reconstruct_video", n.video_decoder, z_music, video_in);
    if (words.defined()) add("reconstruct_text", n.text_decoder, z_music, words);
  }
  if (w.divergence > 0) {
    terms.add("divergence_music", w.divergence, loss::divergence_from_prior(music));
    terms.add("divergence_video", w.divergence, loss::divergence_from_prior(video));
  }
  if (w.match > 0) {
    const auto gaps = loss::gap_matching(z_music, z_video,
                                         {.matching = w.matching, .margin = w.margin, .top = w.top},
                                         batch.track_ids);
    terms.add("match_music", w.match, gaps.x_to_y);
    terms.add("match_video", w.match, gaps.y_to_x);
  }
  return terms;
}

std::shared_ptr<torch::nn::Module> Cmvae::clone(const std::optional<at::Device>& device) const {
  auto copy = std::make_shared<Cmvae>(options_);
  copy_weights(*this, *copy, device);
  return copy;
}

}  // namespace vmr::model
