// The loss terms of UtCmvmr, one function each.
#include "model/ut_cmvmr_spaces.h"
#include "vmr/core/error.h"
#include "vmr/loss/margin_softmax.h"
#include "vmr/loss/matching.h"
#include "vmr/loss/ranking.h"
#include "vmr/loss/structure.h"
#include "vmr/loss/triplet.h"

namespace vmr::model {
namespace {

// One term a kind of pair: music and tag, video and tag, music and video (of the paper alone).
void add_triplets(const UtCmvmrLoss& w, const Spaces& s, loss::Terms& terms) {
  const auto t = [&](const at::Tensor& x, const at::Tensor& near, const at::Tensor& far) {
    return loss::triplet_margin(x, near, far, {.margin = w.margin});
  };
  const auto add = [&](const char* name, double weight, const auto& value) {
    if (weight > 0) terms.add(name, w.triplet * weight, value());
  };
  const auto &a = s.music, &v = s.video, &tag = s.word;
  const auto &other_a = s.negative_music, &other_v = s.negative_video, &other = s.negative_word;
  if (w.set == LossSet::code) {
    const auto against_tag = [&](const Path& x, const Path& far) {
      return w.first_triplet * t(x.theta, tag.theta, far.theta) +
             w.second_triplet * t(tag.theta, x.theta, far.theta);
    };
    add("music_triplet", w.music_triplet, [&] { return against_tag(a, other_a); });
    add("video_triplet", w.video_triplet, [&] { return against_tag(v, other_v); });
    return;
  }
  if (s.sentence.defined()) {
    add("music_triplet", w.music_triplet, [&] {
      return t(a.theta, tag.theta, other_a.theta) + t(tag.theta, a.theta, other_a.theta) +
             t(tag.rho, a.rho, other_a.rho);
    });
    const auto& far = w.tag_negative ? other.theta : other_v.theta;
    add("video_triplet", w.video_triplet, [&] {
      return t(v.theta, tag.theta, other_v.theta) + t(tag.theta, v.theta, far) +
             t(tag.rho, v.rho, other_v.rho);
    });
  }
  add("item_triplet", w.item_triplet,
      [&] { return t(v.theta, a.theta, other_a.theta) + t(a.theta, v.theta, other_v.theta); });
}

void add_regular(const UtCmvmrLoss& w, const Spaces& s, loss::Terms& terms) {
  if (w.reconstruction > 0) {
    terms.add("reconstruction", w.regular * w.reconstruction,
              loss::mean_squares({{s.video.rebuilt, s.video.phi}, {s.music.rebuilt, s.music.phi}}));
  }
  if (w.tag_theta > 0 && s.sentence.defined()) {
    terms.add("tag_theta", w.regular * w.tag_theta,
              loss::mean_squares({{s.video.theta, s.word.theta}, {s.music.theta, s.word.theta}}));
  }
}

void add_match(UtCmvmr::Nets& n, const Spaces& s, loss::Terms& terms) {
  const auto rows =
      loss::matching_rows(s.music.rho, s.video.rho, s.negative_music.rho, s.negative_video.rho);
  const auto match = loss::matching_cross_entropy(
      n.ce_match_loss->at<torch::nn::SequentialImpl>("linear_net").forward(rows),
      s.music.rho.size(0));
  terms.add("match", n.options.loss.match, match.loss);
  terms.monitors.emplace_back("match_accuracy", match.accuracy.item<double>());
}

// Neighbours keep their order from space to space of one side.
at::Tensor structure_of(const Path& path, const std::vector<std::string>& ids, int64_t top) {
  VMR_CHECK(int64_t(ids.size()) == path.phi.size(0), "UtCmvmr::loss: the structure term needs ",
            path.phi.size(0), " item ids in the batch, got ", ids.size());
  const auto places = loss::first_occurrences(ids).to(path.phi.device());
  const auto items = places.size(0);
  if (items < 3) return path.phi.sum() * 0;  // nothing to order
  const auto window = std::min(top, items);
  const auto offset = [&] { return at::randint(items - window + 1, {1}).item<int64_t>(); };
  const auto order = [&](const at::Tensor& low, const at::Tensor& embedded) {
    const auto row = offset();
    return loss::soft_structure(low.index_select(0, places), embedded.index_select(0, places),
                                {.window = window, .row_offset = row, .column_offset = offset()});
  };
  return order(path.phi, path.attended) + order(path.attended, path.rebuilt);
}

void add_tag_softmax(UtCmvmr::Nets& n, const Spaces& s, const at::Tensor& tags,
                     loss::Terms& terms) {
  const auto& w = n.options.loss;
  VMR_CHECK(tags.defined(), "UtCmvmr::loss: the tag_softmax term needs tag_ids in the batch");
  const auto result = loss::margin_softmax(n.damsoftmax_loss(s.music.rho, s.video.rho),
                                           tags.to(s.music.rho.device()),
                                           {.margin = w.tag_margin, .scale = w.tag_scale});
  terms.add("tag_softmax", w.tag_softmax, result.loss);
  terms.monitors.emplace_back("tag_accuracy", result.accuracy.item<double>());
}

void add_adversarial(UtCmvmr::Nets& n, const Spaces& s, loss::Terms& terms) {
  const bool subtracted = n.options.reference.adversarial_subtracted;
  // Forward x, gradient reversed: the classifier learns to tell the sides apart while the rest of
  // the network learns to hide them.
  const auto reversed = [&](const at::Tensor& x) { return subtracted ? x : 2 * x.detach() - x; };
  const auto rows = at::cat({reversed(s.music.rho), reversed(s.video.rho)});
  const auto result = loss::matching_cross_entropy(
      n.adv_loss->at<torch::nn::SequentialImpl>("discriminator").forward(rows),
      s.music.rho.size(0));
  const auto weight = n.options.loss.adversarial;
  terms.add("adversarial", subtracted ? -weight : weight, result.loss);
  terms.monitors.emplace_back("adversarial_accuracy", result.accuracy.item<double>());
}

void add_mismatched(const UtCmvmr::Nets& n, const Spaces& s, const at::Tensor& track_ids,
                    loss::Terms& terms) {
  const auto score = [&](const Path& a, const Path& v) {
    return (n.vector(a.raw, a.rho) * n.vector(v.raw, v.rho)).sum(1);
  };
  auto hinge = at::relu(n.options.loss.mismatched_margin +
                        score(s.mismatched_music, s.mismatched_video) - score(s.music, s.video));
  if (track_ids.defined()) {
    hinge = hinge.masked_fill((track_ids == track_ids.roll(1, 0)).to(hinge.device()), 0);
  }
  terms.add("mismatched", n.options.loss.mismatched, hinge.mean());
}

loss::RankingTerms rank(const at::Tensor& music, const at::Tensor& video, double margin,
                        Distance distance, const UtCmvmr::Nets& n, const at::Tensor& track_ids) {
  return loss::inter_modal_ranking(
      music, video, {.margin = margin, .top = n.options.loss.rank_top, .distance = distance},
      n.options.reference.same_track_negatives ? at::Tensor() : track_ids);
}

}  // namespace

loss::Terms UtCmvmr::loss(const data::PairBatch& batch) {
  auto& n = *nets_;
  const auto& w = options_.loss;
  const auto s = spaces_of(n, batch);
  loss::Terms terms;
  if (has_triplets(options_)) add_triplets(w, s, terms);
  if (w.regular > 0) add_regular(w, s, terms);
  if (w.text > 0 && s.sentence.defined()) {
    terms.add(
        "text", w.text,
        loss::mean_squares(
            {{s.sentence, s.video.rho}, {s.sentence, s.music.rho}, {s.sentence, s.word.rho}}));
  }
  if (w.match > 0) add_match(n, s, terms);
  if (w.rank > 0) {
    const auto both =
        rank(s.music.theta, s.video.theta, w.rank_margin, w.distance, n, batch.track_ids);
    terms.add("rank", w.rank, both.x_to_y + both.y_to_x);
  }
  if (w.structure > 0) {
    terms.add("structure", w.structure,
              structure_of(s.music, batch.music_ids, w.structure_top) +
                  structure_of(s.video, batch.video_ids, w.structure_top));
  }
  if (w.tag_softmax > 0) add_tag_softmax(n, s, batch.tag_ids, terms);
  if (w.adversarial > 0) add_adversarial(n, s, terms);
  if (w.mismatched > 0) add_mismatched(n, s, batch.track_ids, terms);
  if (w.independent > 0) {
    const auto both = rank(n.vector(s.alone_music.raw, s.alone_music.rho),
                           n.vector(s.alone_video.raw, s.alone_video.rho), w.independent_margin,
                           Distance::cosine, n, batch.track_ids);  // as catalogues compare
    terms.add("independent", w.independent, both.x_to_y + both.y_to_x);
  }
  return terms;
}

}  // namespace vmr::model
