#include "vmr/model/ut_cmvmr.h"

#include "model/copy_weights.h"
#include "model/ut_cmvmr_nets.h"
#include "vmr/core/error.h"
#include "vmr/loss/matching.h"
#include "vmr/loss/ranking.h"
#include "vmr/loss/triplet.h"
#include "vmr/nn/cross_attention.h"

namespace vmr::model {
namespace {

constexpr int64_t kPairsAtOnce = 1024;  // of score_pairs: bounds memory

void check_evaluating(const UtCmvmr& model, const char* what) {
  VMR_CHECK(!model.is_training(), "UtCmvmr::", what,
            ": the model is in training mode; call eval() first");
}

const UtCmvmrOptions& validated(const UtCmvmrOptions& options) {
  validate(options);
  return options;
}

}  // namespace

UtCmvmr::UtCmvmr(const UtCmvmrOptions& options)
    : options_(validated(options)), nets_(std::make_unique<Nets>(*this, options_)) {}

UtCmvmr::~UtCmvmr() = default;

ModelInputs UtCmvmr::inputs() const {
  const auto& o = options_;
  const auto spec = [&](const std::string& name, std::vector<int64_t> row) {
    return InputSpec{name, std::move(row), o.clip_seconds, o.max_clips};
  };
  ModelInputs inputs;
  inputs.music.push_back(spec(o.music, {o.music_dim}));
  inputs.video.push_back(spec(o.video, {o.video_dim}));
  if (o.rhythm_flow) {
    inputs.music.push_back(spec(o.rhythm, {3}));
    inputs.video.push_back(spec(o.flow, {}));
  }
  inputs.text_dim = o.text_dim;
  inputs.negatives = o.loss.match > 0 || (o.loss.triplet > 0 && o.text_dim > 0);
  return inputs;
}

at::Tensor UtCmvmr::embed_music(const data::FeatureMap& music) {
  check_evaluating(*this, "embed_music");
  const at::NoGradGuard no_grad;
  const auto phi = nets_->encode_music(nets_->music_sequence(music));
  const auto theta = nets_->A_proj(nets_->music_alone(phi));
  return nets_->vector(theta, nets_->D(theta)).unsqueeze(1);
}

at::Tensor UtCmvmr::embed_video(const data::FeatureMap& video) {
  check_evaluating(*this, "embed_video");
  const at::NoGradGuard no_grad;
  const auto phi = nets_->encode_video(nets_->video_sequence(video));
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

std::optional<at::Tensor> UtCmvmr::score_pairs(const data::FeatureMap& video,
                                               const data::FeatureMap& music) {
  check_evaluating(*this, "score_pairs");
  const at::NoGradGuard no_grad;
  const auto phi_v = nets_->encode_video(nets_->video_sequence(video));
  const auto phi_a = nets_->encode_music(nets_->music_sequence(music));
  const auto films = phi_v.size(0), tracks = phi_a.size(0), pairs = films * tracks;
  const auto scores = at::empty({pairs}, phi_v.options());
  for (int64_t begin = 0; begin < pairs; begin += kPairsAtOnce) {
    const auto count = std::min(kPairsAtOnce, pairs - begin);
    const auto pair = at::arange(begin, begin + count, phi_v.options().dtype(at::kLong));
    const auto [f_a, f_v] = nn::attend_pair(nets_->cross_attention, nets_->pos_emb1D,
                                            phi_a.index_select(0, pair.remainder(tracks)),
                                            phi_v.index_select(0, pair.div(tracks, "floor")));
    const auto theta_a = nets_->A_proj(f_a), theta_v = nets_->V_proj(f_v);
    const auto score =
        (nets_->vector(theta_a, nets_->D(theta_a)) * nets_->vector(theta_v, nets_->D(theta_v)))
            .sum(1);
    scores.narrow(0, begin, count).copy_(score);
  }
  return scores.view({films, tracks});
}

loss::Terms UtCmvmr::loss(const data::PairBatch& batch) {
  const auto& w = options_.loss;
  auto& n = *nets_;
  const bool negatives = inputs().negatives, alone = w.independent > 0;
  const bool tagged = options_.text_dim > 0;

  auto music = n.music_sequence(batch.music), video = n.video_sequence(batch.video);
  const auto size = music.size(0);
  VMR_CHECK(size >= 2 && video.size(0) == size, "UtCmvmr::loss: expected at least 2 pairs, got ",
            size, " music and ", video.size(0), " video items");
  if (negatives) {
    music = at::cat({music, n.music_sequence(batch.negative_music)});
    video = at::cat({video, n.video_sequence(batch.negative_video)});
    VMR_CHECK(music.size(0) == 2 * size && video.size(0) == 2 * size,
              "UtCmvmr::loss: expected one negative music and video for each of ", size, " pairs");
  }
  // Rows: the pairs, their negatives, then the lone items.
  const auto phi_a = n.encode_music(music), phi_v = n.encode_video(video);
  auto [f_a, f_v] = nn::attend_pair(n.cross_attention, n.pos_emb1D, phi_a, phi_v);
  if (alone) {
    f_a = at::cat({f_a, n.music_alone(phi_a.narrow(0, 0, size))});
    f_v = at::cat({f_v, n.video_alone(phi_v.narrow(0, 0, size))});
  }
  std::vector<at::Tensor> raw = {n.A_proj(f_a), n.V_proj(f_v)};
  at::Tensor word;
  if (tagged) {
    VMR_CHECK(batch.text.defined() && batch.text.dim() == 2 && batch.text.size(0) == size &&
                  batch.text.size(1) == options_.text_dim,
              "UtCmvmr::loss: expected text [", size, ", ", options_.text_dim,
              "]; set text_dim to 0 for data without tags");
    word = unit_rows(batch.text.to(phi_a.scalar_type()));
    raw.push_back(n.W_proj(word));
  }
  const auto rows = raw[0].size(0);
  const auto all = at::cat(raw);
  const auto theta = unit_rows(all), rho = unit_rows(n.D(all));
  const auto part = [&](const at::Tensor& values, int64_t side, int64_t block) {
    return values.narrow(0, side * rows + block * size, size);
  };
  enum { kMusic, kVideo, kText };
  const auto theta_a = part(theta, kMusic, 0), theta_v = part(theta, kVideo, 0);
  const auto rho_a = part(rho, kMusic, 0), rho_v = part(rho, kVideo, 0);

  loss::Terms terms;
  if (w.triplet > 0 && tagged) {
    const auto theta_w = part(theta, kText, 0);
    const auto other_a = part(theta, kMusic, 1), other_v = part(theta, kVideo, 1);
    const auto t = [&](const auto& x, const auto& p, const auto& far) {
      return loss::triplet_margin(x, p, far, {.margin = w.margin});
    };
    terms.add("triplet", w.triplet,
              w.first_triplet * (t(theta_a, theta_w, other_a) + t(theta_v, theta_w, other_v)) +
                  w.second_triplet * (t(theta_w, theta_a, other_a) + t(theta_w, theta_v, other_v)));
  }
  if (w.regular > 0) {
    auto regular = loss::mean_squares({{n.V_rec(part(all, kVideo, 0)), phi_v.narrow(0, 0, size)},
                                       {n.A_rec(part(all, kMusic, 0)), phi_a.narrow(0, 0, size)}});
    if (tagged) {
      const auto theta_w = part(theta, kText, 0);
      regular = regular + loss::mean_squares({{theta_v, theta_w}, {theta_a, theta_w}});
    }
    terms.add("regular", w.regular, regular);
  }
  if (w.text > 0 && tagged) {
    terms.add("text", w.text,
              loss::mean_squares({{word, rho_v}, {word, rho_a}, {word, part(rho, kText, 0)}}));
  }
  if (w.match > 0) {
    const auto pairs =
        loss::matching_rows(rho_a, rho_v, part(rho, kMusic, 1), part(rho, kVideo, 1));
    const auto match = loss::matching_cross_entropy(
        n.ce_match_loss->at<torch::nn::SequentialImpl>("linear_net").forward(pairs), size);
    terms.add("match", w.match, match.loss);
    terms.monitors.emplace_back("match_accuracy", match.accuracy.item<double>());
  }
  if (w.rank > 0) {
    const auto rank = loss::inter_modal_ranking(
        theta_a, theta_v, {.margin = w.rank_margin, .top = w.rank_top}, batch.track_ids);
    terms.add("rank", w.rank, rank.x_to_y + rank.y_to_x);
  }
  if (alone) {
    const int64_t block = negatives ? 2 : 1;
    const auto rank = loss::inter_modal_ranking(
        n.vector(part(all, kMusic, block), part(rho, kMusic, block)),
        n.vector(part(all, kVideo, block), part(rho, kVideo, block)),
        {.margin = w.independent_margin, .top = w.rank_top}, batch.track_ids);
    terms.add("independent", w.independent, rank.x_to_y + rank.y_to_x);
  }
  return terms;
}

std::shared_ptr<torch::nn::Module> UtCmvmr::clone(const std::optional<at::Device>& device) const {
  auto copy = std::make_shared<UtCmvmr>(options_);
  copy_weights(*this, *copy, device);
  return copy;
}

}  // namespace vmr::model
