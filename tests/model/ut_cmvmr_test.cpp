// Pins UtCmvmr: joint scores, loss terms and keys of the reference, the score of embeddings,
// padding, batch and clone, presets, options, learning.
#include "vmr/model/ut_cmvmr.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <thread>

#include "model/formula_items.h"
#include "vmr/core/error.h"

namespace vmr::model {
namespace {

using namespace vmr::test;

// Row i of each feature, cut to `clips`.
data::FeatureMap item(const data::FeatureMap& features, int64_t i, int64_t clips) {
  data::FeatureMap result;
  for (const auto& [name, feature] : features) {
    result[name] = {feature.values.narrow(0, i, 1).narrow(1, 0, clips), at::Tensor()};
  }
  return result;
}

TEST(UtCmvmr, ScoresPairsAsTheReference) {
  const auto expected = golden("nn/ut_cmvmr.json");
  auto model = filled(small());
  expect_golden(*model->score_pairs(video("positive"), music("positive")), expected["scores"]);
  expect_golden(model->embed_text(formula_values("text", {kBatch, 16}))->squeeze(1),
                expected["text"]);
  auto keys = state_keys(*model);
  std::erase(keys, "null_music");  // of the independent embedding, which the reference lacks
  std::erase(keys, "null_video");
  EXPECT_EQ(keys, expected["keys"].get<std::vector<std::string>>());
}

TEST(UtCmvmr, GivesTheReferencesLossTerms) {
  // In evaluation mode, since dropout differs; negatives and text are unit length on both sides.
  const auto expected = golden("nn/ut_cmvmr.json")["terms"];
  const auto terms = filled(small())->loss(batch());
  ASSERT_EQ(terms.values.size(), 8);
  const std::map<std::string, std::string> sums = {{"music_triplet", "triplet"},
                                                   {"video_triplet", "triplet"},
                                                   {"reconstruction", "regular"},
                                                   {"tag_theta", "regular"}};
  std::map<std::string, double> ours;
  for (const auto& [name, value] : terms.values) {
    ours[sums.contains(name) ? sums.at(name) : name] += value.item<double>();
  }
  ours.erase("independent");
  for (const auto& [name, value] : ours) {
    const double reference = expected.at(name);
    EXPECT_NEAR(value, reference, 1e-4 * std::abs(reference) + 1e-6) << name;
  }
  EXPECT_EQ(terms.values.back().first, "independent");
}

TEST(UtCmvmr, EmbeddingsDotToTheWeightedCosines) {
  auto model = filled(small());
  const auto m = model->embed_music(music("positive")), v = model->embed_video(video("positive"));
  ASSERT_EQ(m.sizes(), (at::IntArrayRef{kBatch, 1, 24}));
  const auto cosine = [](const at::Tensor& a, const at::Tensor& b) {
    return torch::cosine_similarity(a.unsqueeze(1), b.unsqueeze(0), 2);
  };
  const auto theta = [](const at::Tensor& x) { return x.squeeze(1).narrow(1, 0, 8); };
  const auto rho = [](const at::Tensor& x) { return x.squeeze(1).narrow(1, 8, 16); };
  expect_near(v.squeeze(1).mm(m.squeeze(1).t()),
              0.6 * cosine(theta(v), theta(m)) + 0.4 * cosine(rho(v), rho(m)), 1e-6);
  expect_near(m.norm(2, 2), torch::ones({kBatch, 1}), 1e-6);
  expect_near(theta(m).norm(2, 1), torch::full({kBatch}, std::sqrt(0.6)), 1e-6);
}

TEST(UtCmvmr, TheLoneItemAttendsToTheNullPartner) {
  auto model = filled(small());
  const auto before = model->embed_music(music("positive"));
  const auto film = model->embed_video(video("positive"));
  {
    const torch::NoGradGuard no_grad;
    model->named_parameters()["null_video"].neg_();
  }
  EXPECT_FALSE(at::allclose(model->embed_music(music("positive")), before));
  EXPECT_TRUE(at::equal(model->embed_video(video("positive")), film));
}

TEST(UtCmvmr, PaddingAndBatchDoNotChangeEmbeddings) {
  auto model = filled(small());
  const std::vector<int64_t> clips = {7, 5, 2, 1};
  auto padded_music = music("positive"), padded_video = video("positive");
  for (auto* side : {&padded_music, &padded_video}) {
    for (auto& [name, feature] : *side) {
      for (int64_t i = 0; i < kBatch; ++i) {
        if (clips[i] == 7) continue;
        feature.mask[i].narrow(0, clips[i], 7 - clips[i]).fill_(false);
        auto rest = feature.values[i].narrow(0, clips[i], 7 - clips[i]);
        rest.fill_(feature.values.is_floating_point() ? std::nan("") : -1000);
      }
    }
  }
  const auto m = model->embed_music(padded_music), v = model->embed_video(padded_video);
  const auto joint = *model->score_pairs(padded_video, padded_music);
  for (int64_t i = 0; i < kBatch; ++i) {
    const auto song = item(music("positive"), i, clips[i]),
               film = item(video("positive"), i, clips[i]);
    expect_near(m.narrow(0, i, 1), model->embed_music(song), 1e-5);
    expect_near(v.narrow(0, i, 1), model->embed_video(film), 1e-5);
    expect_near(joint.narrow(0, i, 1).narrow(1, i, 1), *model->score_pairs(film, song), 1e-5);
  }
}

TEST(UtCmvmr, FillsMusicCyclicallyAndVideoByItsLastClip) {
  auto model = filled(small());
  const auto filled_by = [](const data::FeatureMap& from, std::vector<int64_t> order) {
    data::FeatureMap result;
    for (const auto& [name, feature] : from) {
      result[name] = {feature.values.index_select(1, torch::tensor(order)), at::Tensor()};
    }
    return result;
  };
  const auto song = item(music("positive"), 0, 3), film = item(video("positive"), 0, 3);
  expect_near(model->embed_music(song), model->embed_music(filled_by(song, {0, 1, 2, 0, 1, 2, 0})));
  expect_near(model->embed_video(film), model->embed_video(filled_by(film, {0, 1, 2, 2, 2, 2, 2})));
  // Longer items keep their first clips.
  const auto whole = item(music("positive"), 0, 7);
  expect_near(model->embed_music(filled_by(whole, {0, 1, 2, 3, 4, 5, 6, 0, 0})),
              model->embed_music(whole));
}

TEST(UtCmvmr, TheMeanSettingAveragesOwnClips) {
  auto options = small();
  options.sequence = false;
  options.rhythm_flow = false;
  auto model = filled(options);
  EXPECT_EQ(model->inputs().music.size(), 1);
  auto song = item(music("positive"), 0, 2);
  song.erase("rhythm");
  const auto expected = model->embed_music(song);
  auto& clips = song["conformer_audio"].values;
  clips = clips.mean(1, true);  // one clip, their mean
  expect_near(model->embed_music(song), expected, 1e-5);
}

TEST(UtCmvmr, AcceptsFlowWithALastAxisAndClampsClasses) {
  auto model = filled(small());
  auto film = video("positive");
  const auto expected = model->embed_video(film);
  film["clip_flow"].values = film["clip_flow"].values.unsqueeze(2);
  EXPECT_TRUE(at::equal(model->embed_video(film), expected));
  auto last = video("positive"), beyond = video("positive");
  last["clip_flow"].values.fill_(64);
  beyond["clip_flow"].values.fill_(99);
  EXPECT_TRUE(at::equal(model->embed_video(last), model->embed_video(beyond)));
}

TEST(UtCmvmr, EveryParameterGetsAGradientAndTermsAreNamed) {
  // In evaluation mode: batch statistics take all gradient from the biases before them.
  auto model = filled(small());
  const auto terms = model->loss(batch());
  std::vector<std::string> names;
  for (const auto& [name, value] : terms.values) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"music_triplet", "video_triplet", "reconstruction",
                                             "tag_theta", "text", "match", "rank", "independent"}));
  terms.total().backward();
  for (const auto& parameter : model->named_parameters()) {
    ASSERT_TRUE(parameter.value().grad().defined()) << parameter.key();
    EXPECT_TRUE(parameter.value().grad().isfinite().all().item<bool>()) << parameter.key();
    EXPECT_GT(parameter.value().grad().norm().item<double>(), 0) << parameter.key();
  }
}

TEST(UtCmvmr, NegativesAreNotThePositives) {
  // Terms with negatives must see them: exchanging only the negatives changes triplets and match.
  auto model = filled(small());
  auto changed = batch();
  changed.negative_music = music("other");
  const auto a = model->loss(batch()), b = model->loss(changed);
  for (size_t i = 0; i < a.values.size(); ++i) {
    const bool uses = a.values[i].first.ends_with("_triplet") || a.values[i].first == "match";
    EXPECT_EQ(!at::equal(a.values[i].second, b.values[i].second), uses) << a.values[i].first;
  }
}

TEST(UtCmvmr, FilmsOfOneTrackAreNoNegatives) {
  auto model = filled(small());
  auto b = batch();
  b.track_ids = torch::zeros({kBatch}, torch::kLong);
  for (const auto& [name, value] : model->loss(b).values) {
    if (name != "rank" && name != "independent") continue;
    EXPECT_EQ(value.item<double>(), 0) << name;
  }
}

UtCmvmrOptions tiny() {
  auto o = small();
  o.music_dim = o.video_dim = 16;
  o.encoder.dropout = o.cross.dropout = 0.1;
  o.keep_prob = 0.9;
  return o;
}

TEST(UtCmvmr, EmbeddingsDoNotDependOnThreads) {
  auto model = filled(small());
  const int before = torch::get_num_threads();
  std::vector<at::Tensor> music, scores;
  for (const int threads : {1, 2}) {
    torch::set_num_threads(threads);
    music.push_back(model->embed_music(batch().music));
    scores.push_back(*model->score_pairs(batch().video, batch().music));
  }
  torch::set_num_threads(before);
  expect_near(music[0], music[1], 1e-5);
  expect_near(scores[0], scores[1], 1e-5);
}

TEST(UtCmvmr, SeveralThreadsMayUseOneModel) {
  auto model = filled(small());
  const auto items = batch();
  const auto ask = [&] {
    return std::vector<at::Tensor>{model->embed_music(items.music), model->embed_video(items.video),
                                   *model->score_pairs(items.video, items.music)};
  };
  const auto expected = ask();
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  for (auto& count : equal) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        const auto answers = ask();
        count += std::equal(answers.begin(), answers.end(), expected.begin(),
                            [](const auto& a, const auto& b) { return at::allclose(a, b); });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 10));
}

TEST(UtCmvmr, LearnsOneBatchByHeart) {
  torch::manual_seed(3);
  auto options = tiny();
  options.encoder_hidden = options.projection_hidden = 32;
  options.loss.rank_margin = options.loss.independent_margin = 0.2;
  options.loss.mismatched = 1;  // or joint scores never see a wrong pair
  UtCmvmr model(options);
  const auto b = batch(16);
  torch::optim::Adam optimiser(model.parameters(), torch::optim::AdamOptions(1e-2));
  double first = 0, last = 0;
  for (int step = 0; step < 150; ++step) {
    optimiser.zero_grad();
    const auto total = model.loss(b).total();
    if (step == 0) first = total.item<double>();
    last = total.item<double>();
    total.backward();
    optimiser.step();
  }
  EXPECT_LT(last, 0.5 * first);
  model.eval();
  const auto m = model.embed_music(b.music).squeeze(1), v = model.embed_video(b.video).squeeze(1);
  // Rounding differs with the number of threads and dropout amplifies it: one pair may be confused.
  const auto found = [](const torch::Tensor& scores) {
    return scores.argmax(1).eq(torch::arange(kBatch)).sum().item<int64_t>();
  };
  EXPECT_GE(found(v.mm(m.t())), kBatch - 1);
  EXPECT_GE(found(*model.score_pairs(b.video, b.music)), kBatch - 1);
}

TEST(UtCmvmr, WorksWithoutTags) {
  auto options = tiny();
  options.text_dim = 0;
  UtCmvmr model(options);
  auto b = batch(16);
  b.text = at::Tensor();
  std::vector<std::string> names;
  for (const auto& [name, value] : model.loss(b).values) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"reconstruction", "match", "rank", "independent"}));
  model.eval();
  EXPECT_FALSE(model.embed_text(torch::zeros({1, 16})).has_value());
  EXPECT_THROW(UtCmvmr(tiny()).loss(b), InvalidArgument);
}

TEST(UtCmvmr, ClonesAndSaves) {
  auto model = filled(tiny());
  const auto film = video("positive", 16);
  const auto expected = model->embed_video(film);
  auto copy = std::dynamic_pointer_cast<UtCmvmr>(model->clone());
  ASSERT_NE(copy, nullptr);
  EXPECT_FALSE(copy->is_training());
  EXPECT_TRUE(at::equal(copy->embed_video(film), expected));
  {
    const torch::NoGradGuard no_grad;
    for (auto& parameter : copy->parameters()) parameter.add_(0.1);
  }
  EXPECT_TRUE(at::equal(model->embed_video(film), expected));

  std::stringstream file;
  torch::serialize::OutputArchive out;
  model->save(out);
  out.save_to(file);
  torch::serialize::InputArchive in;
  in.load_from(file);
  copy->load(in);
  EXPECT_TRUE(at::equal(copy->embed_video(film), expected));
}

TEST(UtCmvmr, ConfigGivesTheSameModelAgain) {
  auto options = tiny();
  options.music = "vggish";
  options.rhythm_classes = {5, 6, 7};
  options.initialisation = nn::Initialisation::xavier_normal;
  options.loss.independent_margin = 0.25;
  const UtCmvmr model(options);
  const auto config = model.config();
  const auto again = make_matching_model(config);
  EXPECT_EQ(again->config(), config);
  EXPECT_EQ(state_keys(*again), state_keys(model));
  EXPECT_EQ(again->inputs().music[0].feature, "vggish");
  EXPECT_EQ(again->inputs().music[0].row, std::vector<int64_t>{16});
  EXPECT_EQ(again->inputs().video[1].row, std::vector<int64_t>{});
  EXPECT_TRUE(again->inputs().negatives);
  // The recipe's short form: defaults are the paper's.
  const auto published = make_matching_model(
      {{"kind", "ut_cmvmr"}, {"music", "conformer_audio"}, {"rhythm_flow", false}});
  EXPECT_EQ(published->embedding_dim(), 256 + 768);
  EXPECT_EQ(published->inputs().video.size(), 1);
}

void expect_refused(const nlohmann::json& config, const std::string& words) {
  try {
    make_matching_model(config);
    ADD_FAILURE() << config;
  } catch (const InvalidArgument& error) {
    EXPECT_NE(std::string(error.what()).find(words), std::string::npos) << error.what();
  }
}

TEST(UtCmvmr, RefusesWhatItCannotDo) {
  expect_refused({{"kind", "ut_cmvmrr"}}, "ut_cmvmr");
  expect_refused({{"kind", "ut_cmvmr"}, {"theta_dims", 5}}, "theta_dim");
  expect_refused({{"kind", "ut_cmvmr"}, {"loss", {{"ranc", 5}}}}, "rank");
  expect_refused({{"kind", "ut_cmvmr"}, {"momentum", 2.0}}, "momentum");
  expect_refused({{"kind", "ut_cmvmr"}, {"text_dim", 384}}, "rho_dim");
  expect_refused({{"kind", "ut_cmvmr"}, {"music_dim", 30}}, "multiple of 4");
  auto model = filled(tiny());
  auto song = music("positive", 16);
  song.erase("rhythm");
  EXPECT_THROW(model->embed_music(song), InvalidArgument);
  song = music("positive", 16);
  song["rhythm"].mask = song["rhythm"].mask.clone();
  song["rhythm"].mask[2][6] = false;  // one clip fewer than the features
  EXPECT_THROW(model->embed_music(song), InvalidArgument);
  song["conformer_audio"].mask[2].fill_(false);
  EXPECT_THROW(model->embed_music(song), InvalidArgument);
  EXPECT_THROW(model->embed_music(music("positive", 20)), InvalidArgument);
  model->train();
  EXPECT_THROW(model->embed_music(music("positive", 16)), InvalidArgument);
}

}  // namespace
}  // namespace vmr::model
