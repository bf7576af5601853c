// Pins the terms of UtCmvmr that the published training leaves out or states otherwise, which
// weights each term reaches, the published scores of retrieval (tests/golden/make_published_scores
// .py), and that each switch of the published behaviour changes what it says.
#include <algorithm>
#include <map>

#include "model/formula_items.h"
#include "vmr/core/error.h"

namespace vmr::model {
namespace {

using namespace vmr::test;

double term(const loss::Terms& terms, const std::string& name) {
  for (const auto& [known, value] : terms.values) {
    if (known == name) return value.item<double>();
  }
  ADD_FAILURE() << "no term " << name;
  return 0;
}

double monitor(const loss::Terms& terms, const std::string& name) {
  for (const auto& [known, value] : terms.monitors) {
    if (known == name) return value;
  }
  ADD_FAILURE() << "no monitor " << name;
  return 0;
}

UtCmvmrOptions with_all_terms() {
  auto o = small();
  o.tags = 5;
  o.loss.structure = o.loss.tag_softmax = o.loss.adversarial = o.loss.mismatched = 1;
  return o;
}

TEST(UtCmvmrTerms, GiveTheValuesOfThePublishedCode) {
  const auto expected = golden("nn/training_step.json").at("terms");
  const auto terms = filled(with_all_terms())->loss(batch());
  for (const char* name : {"structure", "tag_softmax", "adversarial"}) {
    const double value = expected.at(name);
    EXPECT_NEAR(term(terms, name), value, 1e-4 * std::abs(value) + 1e-7) << name;
  }
  EXPECT_NEAR(monitor(terms, "tag_accuracy"), expected.at("tag_accuracy").get<double>(), 1e-6);
  EXPECT_NEAR(monitor(terms, "adversarial_accuracy"),
              expected.at("adversarial_accuracy").get<double>(), 1e-6);
}

TEST(UtCmvmrTerms, TheStoredVectorsAreThoseOfTheNullPartner) {
  const auto expected = golden("nn/training_step.json").at("alone");
  auto model = filled(small());
  const auto values = [&](const char* side) {
    return torch::tensor(expected.at(side).get<std::vector<double>>(), torch::kDouble)
        .view({kBatch, 24});
  };
  const auto music = model->embed_music(batch().music).squeeze(1);
  const auto video = model->embed_video(batch().video).squeeze(1);
  expect_near(music, values("music"), 1e-5);
  expect_near(video, values("video"), 1e-5);
  // What the items have of their own is small beside what they share: it must be right too.
  const auto own = [](const at::Tensor& rows) { return rows - rows.mean(0, true); };
  const double spread = own(values("music")).abs().max().item<double>();
  EXPECT_LT((own(music) - own(values("music"))).abs().max().item<double>(), 0.01 * spread);
  EXPECT_NEAR(term(model->loss(batch()), "independent"), expected.at("independent").get<double>(),
              1e-5);
}

TEST(UtCmvmrTerms, MismatchedComparesJointScoresOfWrongPairs) {
  auto model = filled(with_all_terms());
  auto b = batch();
  const auto scores = *model->score_pairs(b.video, b.music);  // [film, track]
  const auto right = scores.diagonal();
  // Row i: the music of pair i with the film of pair i - 1.
  const auto wrong = scores.roll(1, 0).diagonal();
  const auto hinge = torch::relu(0.2 + wrong - right);
  EXPECT_NEAR(term(model->loss(b), "mismatched"), hinge.mean().item<double>(), 1e-5);
  b.track_ids = torch::tensor({0, 0, 1, 2}, torch::kLong);  // row 1: the film before has its track
  const auto other = hinge.index_select(0, torch::tensor({0, 2, 3})).sum() / 4.0;
  EXPECT_NEAR(term(model->loss(b), "mismatched"), other.item<double>(), 1e-5);
}

TEST(UtCmvmrTerms, ThePostersTripletsHaveTheValuesOfItsFormulas) {
  const auto expected = golden("nn/published_scores.json");
  auto o = small();
  o.loss.set = LossSet::paper;
  auto b = batch();
  const auto expect = [&](const char* reading) {
    const double value = expected.at(reading);
    double sum = 0;
    for (const auto& [name, part] : filled(o)->loss(b).values) {
      if (name.ends_with("_triplet")) sum += part.item<double>();
    }
    EXPECT_NEAR(sum, value, 1e-5 * value) << reading;
  };
  expect("printed");
  o.loss.tag_negative = false;
  expect("symmetric");
  // Without tags those of music and film are left, which still need negatives.
  o.text_dim = 0;
  b.text = b.negative_text = at::Tensor();
  expect("items");
  o.loss.match = 0;
  EXPECT_TRUE(filled(o)->inputs().negatives);
  expect("items");
}

TEST(UtCmvmrTerms, TripletsAndRegularisersHaveWeightsOfTheirOwn) {
  auto o = small();
  o.loss.set = LossSet::paper;
  o.loss.triplet = 2;
  o.loss.music_triplet = 3;
  o.loss.video_triplet = 0;
  o.loss.item_triplet = 0.75;
  o.loss.regular = 4;
  o.loss.reconstruction = 0.5;
  o.loss.tag_theta = 0.25;
  const auto terms = filled(o)->loss(batch());
  std::map<std::string, double> weights;
  for (size_t i = 0; i < terms.values.size(); ++i) {
    weights[terms.values[i].first] = terms.weights[i];
  }
  EXPECT_EQ(weights, (std::map<std::string, double>{{"music_triplet", 6},
                                                    {"item_triplet", 1.5},
                                                    {"reconstruction", 2},
                                                    {"tag_theta", 1},
                                                    {"text", 1},
                                                    {"match", 1},
                                                    {"rank", 1},
                                                    {"independent", 1}}));
  // Without any triplet and classifier nothing needs negatives.
  o.loss.music_triplet = o.loss.item_triplet = o.loss.match = 0;
  EXPECT_FALSE(filled(o)->inputs().negatives);
}

TEST(UtCmvmrTerms, ThePostersTripletsNeedTheNegativesTag) {
  auto o = small();
  o.loss.set = LossSet::paper;
  auto b = batch();
  b.negative_text = at::Tensor();
  EXPECT_THROW(filled(o)->loss(b), InvalidArgument);
}

TEST(UtCmvmrTerms, TheRankingHasThePublishedValueByDistanceToo) {
  auto o = small();
  o.loss.distance = Distance::l2;
  const double expected = golden("nn/published_scores.json").at("rank_l2");
  EXPECT_NEAR(term(filled(o)->loss(batch()), "rank"), expected, 1e-3 * expected);
}

TEST(UtCmvmrTerms, EachTermReachesTheWeightsItTrains) {
  // Modules by the beginning of their parameters' names; the pair's way to phi, f and theta first.
  const std::vector<std::string> pair = {"A_rhythm_embed.",  "V_optic_embed.", "A_enc_former.",
                                         "V_enc_former.",    "A_enc.",         "V_enc.",
                                         "cross_attention.", "pos_emb1D"};
  const std::vector<std::string> theta = {"A_proj.", "V_proj."};
  const std::map<std::string, std::vector<std::string>> further = {
      {"music_triplet", {"A_proj.", "W_proj."}},
      {"video_triplet", {"V_proj.", "W_proj."}},
      {"reconstruction", {"A_proj.", "V_proj.", "A_rec.", "V_rec."}},
      {"tag_theta", {"A_proj.", "V_proj.", "W_proj."}},
      {"text", {"A_proj.", "V_proj.", "W_proj.", "D."}},
      {"match", {"A_proj.", "V_proj.", "D.", "ce_match_loss."}},
      {"rank", theta},
      {"structure", {"A_proj.", "V_proj.", "A_rec.", "V_rec."}},
      {"tag_softmax", {"A_proj.", "V_proj.", "D.", "damsoftmax_loss."}},
      {"adversarial", {"A_proj.", "V_proj.", "D.", "adv_loss."}},
      {"mismatched", {"A_proj.", "V_proj.", "D."}},
      {"independent", {"A_proj.", "V_proj.", "D.", "null_music", "null_video"}}};
  auto model = filled(with_all_terms());
  auto items = batch();
  items.video = video("other");  // of the others' reconstructions no neighbours change places
  const auto terms = model->loss(items);
  ASSERT_EQ(terms.values.size(), further.size());
  for (const auto& [name, value] : terms.values) {
    auto reached = pair;
    for (const auto& module : further.at(name)) reached.push_back(module);
    model->zero_grad();
    value.backward({}, /*retain_graph=*/true);
    for (const auto& item : model->named_parameters()) {
      const auto& gradient = item.value().grad();
      const bool expected = std::any_of(reached.begin(), reached.end(), [&](const auto& module) {
        return item.key().starts_with(module);
      });
      const double length = gradient.defined() ? gradient.norm().item<double>() : 0;
      EXPECT_EQ(length > 0, expected) << name << ": " << item.key();
    }
  }
}

TEST(UtCmvmrTerms, TheAdversaryLearnsWhileTheNetworkHides) {
  // One gradient step of the classifier alone lowers its loss; the published subtraction raises it.
  for (const bool subtracted : {false, true}) {
    auto o = small();
    o.loss = {.triplet = 0,
              .regular = 1e-6,
              .text = 0,
              .match = 0,
              .rank = 0,
              .independent = 0,
              .adversarial = 1};
    o.reference.adversarial_subtracted = subtracted;
    auto model = filled(o);
    const auto before = model->loss(batch());
    before.total().backward();
    const torch::NoGradGuard no_grad;
    for (const auto& item : model->named_parameters()) {
      if (item.key().starts_with("adv_loss")) item.value().sub_(item.value().grad(), 0.01);
    }
    const double change = term(model->loss(batch()), "adversarial") - term(before, "adversarial");
    EXPECT_EQ(change > 0, subtracted);
  }
}

TEST(UtCmvmrTerms, TagScoresComeFromTheTagClassifier) {
  auto model = filled(with_all_terms());
  const auto b = batch();
  const auto films = *model->prepare_video(b.video), tracks = *model->prepare_music(b.music);
  const auto scores = model->tag_scores(films, tracks);
  ASSERT_EQ(scores.sizes(), (at::IntArrayRef{kBatch, kBatch, 5}));
  // The loss sees the pairs of the diagonal.
  const auto pairs = scores.diagonal(0, 0, 1).t();
  const auto margin = torch::zeros_like(pairs).scatter_(1, b.tag_ids.unsqueeze(1), 0.35);
  const auto expected = torch::cross_entropy_loss(30.0 * (pairs - margin), b.tag_ids);
  EXPECT_NEAR(term(model->loss(b), "tag_softmax"), expected.item<double>(), 1e-4);
  EXPECT_THROW(filled(small())->tag_scores(films, tracks), InvalidArgument);
}

TEST(UtCmvmrTerms, TheGalleryMeanGivesThePublishedScores) {
  const auto expected = golden("nn/published_scores.json").at("gallery_mean");
  auto o = small();
  o.reference.normalise_over_clips = true;
  auto model = filled(o);
  const auto b = batch();
  const auto scores = [&](const data::FeatureMap& films, Distance distance) {
    return *model->score_pairs(films, b.music, PairScoring::gallery_mean, distance);
  };
  // The mean after the projection would be off by 5e-5, each pair's own film by 1e-3.
  expect_golden(scores(b.video, Distance::cosine), expected.at("COS"), 1e-6, 0);
  expect_golden(scores(b.video, Distance::l2), expected.at("L2"), 1e-5, 0);
  // The published order of computing it, film by film, does not depend on the other films.
  expect_near(scores(item_of(b.video, 2), Distance::cosine),
              scores(b.video, Distance::cosine).narrow(0, 2, 1), 1e-6);
  // With a gallery of one track there is nothing to average.
  const auto one = item_of(b.music, 0);
  expect_near(*model->score_pairs(b.video, one, PairScoring::gallery_mean),
              *model->score_pairs(b.video, one), 1e-6);
}

TEST(UtCmvmrTerms, BothDistancesWeighThetaAndRho) {
  const auto b = batch();
  for (const auto scoring : {PairScoring::own, PairScoring::gallery_mean}) {
    const auto scores = [&](double theta_weight, Distance distance) {
      auto o = small();
      o.theta_weight = theta_weight;
      return filled(o)->score_pairs(b.video, b.music, scoring, distance)->to(torch::kDouble);
    };
    const auto theta = scores(1, Distance::l2), rho = scores(0, Distance::l2);
    // Of unit vectors: |a - b|^2 = 2 - 2 cos.
    expect_near(1 - theta.square() / 2, scores(1, Distance::cosine), 1e-6);
    expect_near(1 - rho.square() / 2, scores(0, Distance::cosine), 1e-6);
    EXPECT_LT(theta.max().item<double>(), 0);
    expect_near(scores(0.6, Distance::l2), 0.6 * theta + 0.4 * rho, 1e-6);
    expect_near(scores(0.6, Distance::cosine),
                0.6 * scores(1, Distance::cosine) + 0.4 * scores(0, Distance::cosine), 1e-6);
  }
}

TEST(ReferenceBehaviour, EveryModelSwitchChangesTheLossOrTheScore) {
  using Switch = bool data::ReferenceBehaviour::*;
  const auto changes = [](Switch which, bool training) {
    loss::Terms terms[2];
    for (const bool on : {false, true}) {
      auto o = with_all_terms();
      o.encoder.dropout = o.cross.dropout = 0;
      o.keep_prob = 1;
      o.reference.*which = on;
      auto model = filled(o);
      model->train(training);
      auto b = batch();
      b.track_ids = torch::tensor({0, 1, 0, 2}, torch::kLong);
      torch::manual_seed(1);
      terms[on] = model->loss(b);
    }
    double largest = 0;  // relative change of a term
    for (size_t i = 0; i < terms[0].values.size(); ++i) {
      const double off = terms[0].weights[i] * terms[0].values[i].second.item<double>();
      const double on = terms[1].weights[i] * terms[1].values[i].second.item<double>();
      largest = std::max(largest, std::abs(on - off) / std::max(std::abs(off), 1e-6));
    }
    return largest > 1e-4;
  };
  using B = data::ReferenceBehaviour;
  EXPECT_TRUE(changes(&B::positive_as_negative, false));
  EXPECT_TRUE(changes(&B::unnormalised_negatives, false));
  EXPECT_TRUE(changes(&B::unnormalised_text, false));
  EXPECT_TRUE(changes(&B::same_track_negatives, false));
  EXPECT_TRUE(changes(&B::adversarial_subtracted, false));
  EXPECT_TRUE(changes(&B::separate_statistics, true));
  EXPECT_FALSE(changes(&B::separate_statistics, false));       // averages are the same for all
  EXPECT_FALSE(changes(&B::normalise_over_clips, true));       // of retrieval alone
  EXPECT_FALSE(changes(&B::normalise_over_clips, false));      // as is the loss of a validation
  EXPECT_FALSE(changes(&B::repeat_clips_elementwise, false));  // full items have nothing to repeat
  auto o = small();
  o.reference.freeze_pair_positions = true;
  EXPECT_FALSE(UtCmvmr(o).named_parameters()["pos_emb1D"].requires_grad());
}

TEST(ReferenceBehaviour, RetrievalMakesEachChannelOfUnitLengthOverTheClips) {
  auto o = small();
  auto plain = filled(o);
  o.reference.normalise_over_clips = true;
  auto published = filled(o);
  const auto divided = [](data::FeatureMap items, const char* feature) {
    auto& clips = items.at(feature).values;  // [items, clips, channels]
    clips = clips / clips.square().sum(1, /*keepdim=*/true).sqrt();
    return items;
  };
  const auto tracks = divided(music("positive"), "conformer_audio");
  const auto films = divided(video("positive"), "conformer_video");
  expect_near(published->embed_music(music("positive")), plain->embed_music(tracks), 1e-6);
  expect_near(published->embed_video(video("positive")), plain->embed_video(films), 1e-6);
  expect_near(*published->prepare_music(music("positive")), *plain->prepare_music(tracks));
  expect_near(*published->prepare_video(video("positive")), *plain->prepare_video(films));
  // Short items are filled before: two clips count as c0 c1 c0 c1 c0 c1 c0, or as c0 c1 c1 ...
  const auto filled_by = [](const data::FeatureMap& items, std::vector<int64_t> order) {
    data::FeatureMap result;
    for (const auto& [name, feature] : items) {
      result[name] = {feature.values.index_select(1, torch::tensor(order)),
                      torch::ones({kBatch, 7}, torch::kBool)};
    }
    return result;
  };
  const auto song = cut_to(music("positive"), 2), film = cut_to(video("positive"), 2);
  expect_near(
      published->embed_music(song),
      plain->embed_music(divided(filled_by(song, {0, 1, 0, 1, 0, 1, 0}), "conformer_audio")), 1e-6);
  expect_near(
      published->embed_video(film),
      plain->embed_video(divided(filled_by(film, {0, 1, 1, 1, 1, 1, 1}), "conformer_video")), 1e-6);
}

TEST(ReferenceBehaviour, MusicRepeatsClipByClip) {
  // c0 c1 c0 c0 c1 c1 c0 beside the rhythm of c0 c1 c0 c1 c0 c1 c0, as seven clips of its own.
  const auto two = cut_to(music("positive"), 2);
  const auto spelled_out = [&](const char* feature, at::ArrayRef<int64_t> order) {
    return data::MaskedTensor{two.at(feature).values.index_select(1, torch::tensor(order)),
                              torch::ones({kBatch, 7}, torch::kBool)};
  };
  const data::FeatureMap seven = {
      {"conformer_audio", spelled_out("conformer_audio", {0, 1, 0, 0, 1, 1, 0})},
      {"rhythm", spelled_out("rhythm", {0, 1, 0, 1, 0, 1, 0})}};
  for (const bool rhythm : {false, true}) {
    auto o = small();
    o.rhythm_flow = rhythm;
    o.sequence = true;
    const auto plain = filled(o)->embed_music(two);
    o.reference.repeat_clips_elementwise = true;
    const auto published = filled(o)->embed_music(two);
    EXPECT_GT((plain - published).abs().max().item<double>(), 1e-5);
    expect_near(published, filled(o)->embed_music(seven), 1e-6);
  }
}

TEST(ReferenceBehaviour, GoesThroughTheModelsConfig) {
  auto o = small();
  o.reference.positive_as_negative = true;
  o.loss.set = LossSet::paper;
  o.loss.distance = Distance::l2;
  const auto config = UtCmvmr(o).config();
  const auto read = ut_cmvmr_options(config);
  EXPECT_EQ(read.reference, o.reference);
  EXPECT_EQ(read.loss.set, LossSet::paper);
  EXPECT_EQ(read.loss.distance, Distance::l2);
  auto wrong = config;
  wrong["reference"]["positive_negative"] = true;
  EXPECT_THROW(ut_cmvmr_options(wrong), InvalidArgument);
}

}  // namespace
}  // namespace vmr::model
