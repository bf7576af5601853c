#include "vmr/model/cbvmr.h"

#include <cmath>

#include "model/clip_inputs.h"
#include "model/copy_weights.h"
#include "model/model_checks.h"
#include "model/read_options.h"
#include "model/unit_rows.h"
#include "vmr/core/error.h"
#include "vmr/loss/ranking.h"
#include "vmr/nn/dropout.h"
#include "vmr/nn/initialise.h"

namespace vmr::model {
namespace {

constexpr double kSmallestNorm = 1e-6;  // x / sqrt(max(sum x^2, 1e-12)), as published

const CbvmrOptions& validated(const CbvmrOptions& options) {
  validate(options);
  return options;
}

nn::Linear linear(int64_t input, int64_t output) {
  nn::Linear layer(input, output);
  nn::draw_truncated_normal(layer->weight, std::sqrt(2.0 / double(input)));
  torch::nn::init::zeros_(layer->bias);
  return layer;
}

torch::nn::BatchNorm1d norm(int64_t dim) {
  return torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(dim).eps(1e-3).momentum(0.01));
}

torch::nn::Sequential branch(int64_t input, const std::vector<int64_t>& hidden,
                             const CbvmrOptions& o) {
  torch::nn::Sequential net;
  for (size_t i = 0; i < hidden.size(); ++i) {
    net->push_back(linear(input, hidden[i]));
    if (!o.linear) {
      if (o.first_norm && i == 0) net->push_back(norm(hidden[i]));
      net->push_back(torch::nn::ReLU());
    }
    net->push_back(nn::Dropout(o.dropout));
    input = hidden[i];
  }
  net->push_back(linear(input, o.embedding_dim));
  net->push_back(norm(o.embedding_dim));
  return net;
}

// Neighbours keep their order from the inputs to the vectors; too few of them have no order.
at::Tensor structure(const at::Tensor& inputs, const at::Tensor& vectors, const CbvmrLoss& w) {
  const int64_t fewest = w.structure == loss::StructureWindow::vm_net ? 2 : 3;
  if (inputs.size(0) < fewest) return vectors.sum() * 0;
  return loss::soft_structure(inputs, vectors, {.window = w.structure_window, .rule = w.structure});
}

}  // namespace

struct Cbvmr::Nets {
  Nets(Cbvmr& owner, const CbvmrOptions& o)
      : inputs(owner, o, "Cbvmr"),
        music_net(owner.register_module("music_net", branch(o.music_dim, o.music_hidden, o))),
        video_net(owner.register_module("video_net", branch(o.video_dim, o.video_hidden, o))) {}

  // One vector an item, before and after its branch.
  at::Tensor music_input(const data::FeatureMap& music) const {
    return mean_clips(inputs.music(music, music_net->parameters().front()));
  }
  at::Tensor video_input(const data::FeatureMap& video) const {
    return mean_clips(inputs.video(video, video_net->parameters().front()));
  }
  at::Tensor music_vector(const at::Tensor& input) {
    return unit_rows(music_net->forward(input), kSmallestNorm);
  }
  at::Tensor video_vector(const at::Tensor& input) {
    return unit_rows(video_net->forward(input), kSmallestNorm);
  }

  ClipInputs inputs;
  torch::nn::Sequential music_net, video_net;
};

Cbvmr::Cbvmr(const CbvmrOptions& options)
    : options_(validated(options)), nets_(std::make_unique<Nets>(*this, options_)) {}

Cbvmr::~Cbvmr() = default;

ModelInputs model_inputs(const CbvmrOptions& options) { return clip_model_inputs(options); }

ModelInputs Cbvmr::inputs() const { return model_inputs(options_); }

at::Tensor Cbvmr::embed_music(const data::FeatureMap& music) {
  check_evaluating(*this, "Cbvmr::embed_music");
  const at::NoGradGuard no_grad;
  return nets_->music_vector(nets_->music_input(music)).unsqueeze(1);
}

at::Tensor Cbvmr::embed_video(const data::FeatureMap& video) {
  check_evaluating(*this, "Cbvmr::embed_video");
  const at::NoGradGuard no_grad;
  return nets_->video_vector(nets_->video_input(video)).unsqueeze(1);
}

loss::Terms Cbvmr::loss(const data::PairBatch& batch) {
  const auto& w = options_.loss;
  const auto music_in = nets_->music_input(batch.music);
  const auto video_in = nets_->video_input(batch.video);
  check_pairs(*this, music_in, video_in, "Cbvmr::loss");
  const auto music = nets_->music_vector(music_in), video = nets_->video_vector(video_in);
  const auto& ids = batch.track_ids;
  loss::Terms terms;
  if (w.music_to_video + w.video_to_music > 0) {
    const auto rank = loss::inter_modal_ranking(
        music, video, {.margin = w.margin, .top = w.rank_top, .count_masked = w.count_masked}, ids);
    if (w.music_to_video > 0) terms.add("music_to_video", w.music_to_video, rank.x_to_y);
    if (w.video_to_music > 0) terms.add("video_to_music", w.video_to_music, rank.y_to_x);
  }
  if (w.music_structure > 0) {
    const auto once = [&](const at::Tensor& rows) {
      return ids.defined() ? rows.index_select(0, loss::first_occurrences(ids).to(rows.device()))
                           : rows;
    };
    terms.add("music_structure", w.music_structure, structure(once(music_in), once(music), w));
  }
  if (w.video_structure > 0) {
    terms.add("video_structure", w.video_structure, structure(video_in, video, w));
  }
  return terms;
}

std::shared_ptr<torch::nn::Module> Cbvmr::clone(const std::optional<at::Device>& device) const {
  auto copy = std::make_shared<Cbvmr>(options_);
  copy_weights(*this, *copy, device);
  return copy;
}

}  // namespace vmr::model
