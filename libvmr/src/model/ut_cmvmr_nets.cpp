#include "model/ut_cmvmr_nets.h"

#include <cmath>

#include "vmr/core/error.h"
#include "vmr/nn/cross_attention.h"
#include "vmr/nn/dropout.h"
#include "vmr/nn/positional_table.h"

namespace vmr::model {
namespace {

constexpr int64_t kPairsAtOnce = 1024;  // bounds memory

using Children = std::vector<std::pair<std::string, std::shared_ptr<torch::nn::Module>>>;

nn::TransformerEncoder transformer(int64_t dim, const AttentionOptions& a,
                                   nn::Initialisation rule) {
  return nn::TransformerEncoder(nn::TransformerEncoderOptions(dim, dim)
                                    .layers(a.layers)
                                    .heads(a.heads)
                                    .head_width(a.head_width)
                                    .feed_forward(a.feed_forward)
                                    .dropout(a.dropout)
                                    .initialisation(rule));
}

nn::EmbeddingNet embedding(int64_t input, int64_t hidden, int64_t output, const UtCmvmrOptions& o) {
  return nn::EmbeddingNet(nn::EmbeddingNetOptions(input, output)
                              .hidden(hidden)
                              .momentum(o.momentum)
                              .dropout(o.embed_dropout)
                              .initialisation(o.initialisation));
}

torch::nn::ModuleDict matching_classifier(const UtCmvmrOptions& o) {
  const auto width = o.rho_dim;
  const auto linear = [&](int64_t input, int64_t output) {
    nn::Linear layer(input, output);
    nn::initialise_linear(layer, o.initialisation);
    return layer;
  };
  const auto norm = [](int64_t dim) {
    return torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(dim).eps(1e-3));
  };
  torch::nn::Sequential net(linear(2 * width, width), norm(width), torch::nn::ReLU(),
                            nn::Dropout(1.0 - o.keep_prob), linear(width, width / 2),
                            norm(width / 2), torch::nn::ReLU(), nn::Dropout(1.0 - o.keep_prob),
                            linear(width / 2, 2));
  return torch::nn::ModuleDict(Children{{"linear_net", net.ptr()}});
}

// Two linear layers' widths halve; there are no activations in between, as published.
torch::nn::ModuleDict discriminator(const UtCmvmrOptions& o) {
  const auto linear = [](int64_t input, int64_t output) {
    nn::Linear layer(input, output);
    const torch::NoGradGuard no_grad;
    layer->weight.normal_(0, 0.01);
    return layer;
  };
  const auto width = o.rho_dim;
  torch::nn::Sequential net(linear(width, width / 2), linear(width / 2, width / 4),
                            linear(width / 4, 2));
  return torch::nn::ModuleDict(Children{{"discriminator", net.ptr()}});
}

}  // namespace

UtCmvmr::Nets::Nets(UtCmvmr& owner, const UtCmvmrOptions& o)
    : inputs(owner, o, "UtCmvmr"), options(o) {
  const auto add = [&](const char* name, auto module) {
    return owner.register_module(name, module);
  };
  A_enc_former = add("A_enc_former", transformer(o.music_dim, o.encoder, o.initialisation));
  V_enc_former = add("V_enc_former", transformer(o.video_dim, o.encoder, o.initialisation));
  A_enc = add("A_enc", embedding(o.music_dim, o.encoder_hidden, o.rho_dim, o));
  V_enc = add("V_enc", embedding(o.video_dim, o.encoder_hidden, o.rho_dim, o));
  cross_attention = add("cross_attention", transformer(o.rho_dim, o.cross, o.initialisation));
  A_proj = add("A_proj", embedding(o.rho_dim, o.projection_hidden, o.theta_dim, o));
  V_proj = add("V_proj", embedding(o.rho_dim, o.projection_hidden, o.theta_dim, o));
  D = add("D", embedding(o.theta_dim, 0, o.rho_dim, o));
  if (o.text_dim > 0) W_proj = add("W_proj", embedding(o.text_dim, 0, o.theta_dim, o));
  A_rec = add("A_rec", embedding(o.theta_dim, 0, o.rho_dim, o));
  V_rec = add("V_rec", embedding(o.theta_dim, 0, o.rho_dim, o));
  ce_match_loss = add("ce_match_loss", matching_classifier(o));
  if (o.tags > 0) {
    damsoftmax_loss = add("damsoftmax_loss", TagHead(TagHeadOptions(o.rho_dim, o.tags)
                                                         .dropout(1.0 - o.keep_prob)
                                                         .initialisation(o.initialisation)));
  }
  if (o.loss.adversarial > 0) adv_loss = add("adv_loss", discriminator(o));
  pos_emb1D = owner.register_parameter("pos_emb1D", torch::randn({2, o.rho_dim}),
                                       !o.reference.freeze_pair_positions);
  null_music = owner.register_parameter("null_music", torch::randn({o.rho_dim}));
  null_video = owner.register_parameter("null_video", torch::randn({o.rho_dim}));
}

bool uses_negatives(const UtCmvmrOptions& options) {
  return options.loss.match > 0 || has_triplets(options);
}

bool has_triplets(const UtCmvmrOptions& options) {
  const auto& w = options.loss;
  const bool of_items = w.set == LossSet::paper && w.item_triplet > 0;  // need no tag
  const bool of_tags = options.text_dim > 0 && w.music_triplet + w.video_triplet > 0;
  return w.triplet > 0 && (of_items || of_tags);
}

at::Tensor UtCmvmr::Nets::music_sequence(const data::FeatureMap& music,
                                         const data::FeatureMap* clips) const {
  auto how = reading();
  how.clips = clips;
  return sequence(inputs.music(music, pos_emb1D, how));
}

at::Tensor UtCmvmr::Nets::video_sequence(const data::FeatureMap& video,
                                         const data::FeatureMap* clips) const {
  auto how = reading();
  how.clips = clips;
  return sequence(inputs.video(video, pos_emb1D, how));
}

ClipReading UtCmvmr::Nets::reading() const {
  const bool elementwise = options.reference.repeat_clips_elementwise;
  return {.music_fill = elementwise ? ClipFill::elementwise : ClipFill::cycle};
}

at::Tensor UtCmvmr::Nets::sequence(const data::MaskedTensor& clips) const {
  return options.sequence ? clips.values : mean_clips(clips).unsqueeze(1);
}

at::Tensor UtCmvmr::Nets::with_positions(const at::Tensor& sequence) const {
  return sequence + nn::sinusoid_table(sequence.size(1), sequence.size(2), sequence);
}

at::Tensor UtCmvmr::Nets::encode_music(const data::FeatureMap& music) {
  auto how = reading();
  how.unit_over_clips = options.reference.normalise_over_clips;
  return A_enc(A_enc_former->mean(with_positions(sequence(inputs.music(music, pos_emb1D, how)))));
}

at::Tensor UtCmvmr::Nets::encode_video(const data::FeatureMap& video) {
  auto how = reading();
  how.unit_over_clips = options.reference.normalise_over_clips;
  return V_enc(V_enc_former->mean(with_positions(sequence(inputs.video(video, pos_emb1D, how)))));
}

at::Tensor UtCmvmr::Nets::music_alone(const at::Tensor& phi) {
  return nn::attend_alone(cross_attention, pos_emb1D, phi, null_video, 0);
}

at::Tensor UtCmvmr::Nets::video_alone(const at::Tensor& phi) {
  return nn::attend_alone(cross_attention, pos_emb1D, phi, null_music, 1);
}

at::Tensor UtCmvmr::Nets::of_all_pairs(const at::Tensor& video, const at::Tensor& music,
                                       PairScoring scoring, const PairScore& score) {
  const auto check = [&](const at::Tensor& phi, const char* name) {
    VMR_CHECK(phi.dim() == 2 && phi.size(0) > 0 && phi.size(1) == options.rho_dim,
              "UtCmvmr: expected prepared ", name, " [items, ", options.rho_dim, "], got ",
              phi.sizes());
  };
  check(video, "films");
  check(music, "tracks");
  const auto tracks = music.size(0);
  std::vector<at::Tensor> rows;
  for (int64_t film = 0; film < video.size(0); ++film) {
    const auto phi_v = video.narrow(0, film, 1);
    std::vector<at::Tensor> thetas;
    at::Tensor film_sum;  // of its attended vectors over the gallery
    for (int64_t begin = 0; begin < tracks; begin += kPairsAtOnce) {
      const auto phi_a = music.narrow(0, begin, std::min(kPairsAtOnce, tracks - begin));
      const auto [f_a, f_v] =
          nn::attend_pair(cross_attention, pos_emb1D, phi_a, phi_v.expand_as(phi_a));
      thetas.push_back(A_proj(f_a));
      if (scoring == PairScoring::own) {
        rows.push_back(score(thetas.back(), V_proj(f_v)));
      } else {
        const auto sum = f_v.sum(0, /*keepdim=*/true);
        film_sum = film_sum.defined() ? film_sum + sum : sum;
      }
    }
    if (scoring == PairScoring::own) continue;
    const auto theta_v = V_proj(film_sum / double(tracks));
    for (const auto& theta : thetas) rows.push_back(score(theta, theta_v.expand_as(theta)));
  }
  return at::cat(rows).view({video.size(0), tracks, -1});
}

at::Tensor UtCmvmr::Nets::vector(const at::Tensor& theta, const at::Tensor& rho) const {
  const double g = options.theta_weight;
  return at::cat({unit_rows(theta) * std::sqrt(g), unit_rows(rho) * std::sqrt(1.0 - g)}, 1);
}

}  // namespace vmr::model
