// Pins the whole way on a tiny generated library: extract, pre-train, embed, train, evaluate,
// index, match, report; that a catalogue answers without the folders it was made from; and that a
// film embedded from its file has the bits of the same film embedded from the store.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "nn/formula_weights.h"
#include "pipeline/tag_texts.h"
#include "pipeline/tiny_system.h"
#include "support/temp_folder.h"
#include "text/model_folder.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/matcher.h"
#include "vmr/pipeline/report.h"
#include "vmr/pipeline/runs.h"
#include "vmr/store/safetensors.h"
#include "vmr/synth/library.h"
#include "vmr/text/bert_encoder.h"
#include "vmr/text/sentence_encoder.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;
using testing::ThrowsMessage;

Recipe tiny_recipe() { return parse_recipe(test::tiny_recipe(), "tiny.json"); }

// Made once for all cases: rendering and training take seconds.
class WholeWay : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new test::TempFolder;
    synth::generate_library(root() / "library", test::tiny_library(0.6));
    const auto manifest = store::read_manifest(root() / "library" / "manifest.jsonl");
    const auto recipe = tiny_recipe();
    extract(manifest, root() / "store", recipe.extract);
    for (const std::string modality : {"audio", "video"}) {
      pretrain(recipe, modality, root() / "store", root() / modality);
      embed(root() / modality, root() / "store");
    }
    train_matching(recipe, root() / "store", root() / "run");
    build_index(root() / "run", root() / "store", root() / "index");
  }
  static void TearDownTestSuite() { delete folder_; }
  static fs::path root() { return folder_->path(); }
  static store::Manifest read_library() {
    return store::read_manifest(root() / "library" / "manifest.jsonl");
  }
  static store::ManifestItem test_film() {
    return *store::read_manifest(root() / "library" / "manifest.jsonl").of("film", "test").front();
  }

  static test::TempFolder* folder_;
};
test::TempFolder* WholeWay::folder_ = nullptr;

TEST_F(WholeWay, EvaluationHasBothDirectionsChanceJointAndCeiling) {
  EvaluateOptions options;
  options.truth = root() / "library";
  options.resamples = 100;
  const auto document = evaluate(root() / "run", root() / "store", options);
  for (const char* direction : {"video_to_music", "music_to_video"}) {
    const auto& part = document.at(direction);
    EXPECT_GT(part.at("gallery").get<int>(), 0);
    const double chance = part.at("recall").at("1").at("chance");
    EXPECT_NEAR(chance, 1.0 / part.at("gallery").get<double>(), 1e-9);
    EXPECT_TRUE(document.at("joint").contains(direction));
  }
}

TEST_F(WholeWay, TheCeilingIsTheHiddenTruthsWhateverTheOrderOfTheStore) {
  EvaluateOptions options;
  options.truth = root() / "library";
  options.split = "train";
  options.resamples = 10;
  const auto ceiling = [&](const fs::path& store) {
    return evaluate(root() / "run", store, options).at("ceiling");
  };
  const auto plain = ceiling(root() / "store");
  for (const char* direction : {"video_to_music", "music_to_video"}) {
    EXPECT_EQ(plain.at(direction).at("gallery"), 8);
    EXPECT_GE(plain.at(direction).at("recall").at("1").at("value").get<double>(), 7.0 / 8);
  }
  // Extracting items again moves them to the end.
  test::TempFolder elsewhere;
  fs::copy(root() / "store", elsewhere / "store", fs::copy_options::recursive);
  auto some = read_library();
  std::erase_if(some.items, [n = 0](const auto&) mutable { return n++ % 3 != 0; });
  const auto before = stored_manifest(*store::FeatureStore::open(root() / "store"));
  extract(some, elsewhere / "store", tiny_recipe().extract);
  const auto after = stored_manifest(*store::FeatureStore::open(elsewhere / "store"));
  ASSERT_EQ(after.items.size(), before.items.size());
  ASSERT_NE(after.items.front().id, before.items.front().id);
  EXPECT_EQ(ceiling(elsewhere / "store"), plain);
}

TEST_F(WholeWay, BaselinesGoTheSameWay) {
  for (const char* model :
       {R"({"kind": "cbvmr", "music_hidden": [16], "video_hidden": [16], "embedding_dim": 8})",
        R"({"kind": "cmvae", "latent_dim": 8, "text_dim": 16, "rhythm_flow": false})"}) {
    auto recipe = tiny_recipe();
    recipe.model = json::parse(model);
    const std::string kind = recipe.model.at("kind");
    recipe.sampler = {.kind = "shuffled", .batch = 8};
    recipe.train.weight_decay = 1e-3;
    const auto summary = train_matching(recipe, root() / "store", root() / kind);
    EXPECT_EQ(summary.epochs, 2);
    const auto document = evaluate(root() / kind, root() / "store", {.resamples = 10});
    EXPECT_GT(document.at("video_to_music").at("gallery").get<int>(), 0);
    EXPECT_FALSE(document.contains("joint"));
    build_index(root() / kind, root() / "store", root() / ("index_" + kind));
    const auto matcher = Matcher::open(root() / ("index_" + kind));
    const auto film = matcher->analyse(test_film().path);
    const auto hits = matcher->match(film, {.top = 3});
    ASSERT_EQ(hits.size(), 3u);
    ASSERT_EQ(hits[0].parts.size(), 1u);
    EXPECT_NEAR(hits[0].score, retrieval::total_of(hits[0].parts), 1e-9);
    EXPECT_LE(std::abs(hits[0].score), 1 + 1e-5);
    if (kind == "cmvae") {
      EXPECT_EQ(matcher->match(film, {.text = "calm"}).front().parts.back().name, "words");
    } else {
      EXPECT_THAT([&] { matcher->match(film, {.text = "calm"}); },
                  ThrowsMessage<InvalidArgument>(HasSubstr("tag")));
    }
  }
}

TEST_F(WholeWay, EverySettingOfThePaperTrains) {
  // AE: encoders of the same shape, pre-trained on labels private to each side.
  auto ae = tiny_recipe();
  ae.pretrain["audio"].label = "instruments";
  ae.pretrain["audio"].output = "ae_audio";
  ae.pretrain["video"].label = "texture";
  ae.pretrain["video"].output = "ae_video";
  ae.pretrain["video"].positions = nn::RelPosMode::transformer_xl;
  for (const std::string modality : {"audio", "video"}) {
    pretrain(ae, modality, root() / "store", root() / ("ae_" + modality));
    const auto summary = embed(root() / ("ae_" + modality), root() / "store");
    EXPECT_EQ(summary.feature, "ae_" + modality);
    EXPECT_TRUE(summary.failures.empty());
  }
  const auto run_of = [&](const std::string& name, bool sequence, bool rhythm_flow) {
    auto recipe = tiny_recipe();
    recipe.model["sequence"] = sequence;
    recipe.model["rhythm_flow"] = rhythm_flow;
    if (name == "ae") {
      recipe.model["music"] = "ae_audio";
      recipe.model["video"] = "ae_video";
    }
    train_matching(recipe, root() / "store", root() / name);
    EvaluateOptions options;
    options.resamples = 10;
    return evaluate(root() / name, root() / "store", options)
        .at("video_to_music")
        .at("mrr")
        .get<double>();
  };
  const double figures[] = {run_of("ae", false, false), run_of("a_se", false, false),
                            run_of("se", true, false), run_of("se_r", true, true)};
  for (const double mrr : figures) EXPECT_GT(mrr, 0);
}

TEST_F(WholeWay, ARunGoesOnWithItsOwnDataOnly) {
  const auto read = [](const fs::path& path) {
    std::ifstream in(path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  const auto about = read(root() / "run" / "about.json");
  const auto kept = read(root() / "run" / "recipe.json");
  auto other = tiny_recipe();
  other.train.learning_rate = 0.5;
  EXPECT_THAT([&] { train_matching(other, root() / "store", root() / "run"); },
              ThrowsMessage<InvalidArgument>(HasSubstr("learning_rate")));
  // A pre-training does not take a matching run's folder over.
  EXPECT_THROW(pretrain(tiny_recipe(), "audio", root() / "store", root() / "run"), InvalidArgument);
  EXPECT_EQ(read(root() / "run" / "about.json"), about);
  EXPECT_EQ(read(root() / "run" / "recipe.json"), kept);
}

TEST_F(WholeWay, AShortlistRanksItsTracksJointlyAndTheRestBelow) {
  EvaluateOptions options;
  options.resamples = 10;
  const auto whole = evaluate(root() / "run", root() / "store", options);
  options.joint_limit = 0;
  options.joint_shortlist = 1000;  // more than the gallery has
  const auto all = evaluate(root() / "run", root() / "store", options);
  EXPECT_EQ(all.at("joint").at("video_to_music"), whole.at("joint").at("video_to_music"));
  options.joint_shortlist = 1;  // the best stays the best: the order is that of the embeddings
  const auto one = evaluate(root() / "run", root() / "store", options);
  EXPECT_EQ(one.at("joint").at("video_to_music").at("recall").at("1"),
            one.at("video_to_music").at("recall").at("1"));
  EXPECT_EQ(one.at("joint").at("shortlist"), 1);
}

TEST_F(WholeWay, MatchRanksTheCatalogueWithPartsThatAddUp) {
  const auto matcher = Matcher::open(root() / "index");
  const auto film = matcher->analyse(test_film().path);
  const auto hits = matcher->match(film, {.top = 100});
  EXPECT_EQ(int64_t(hits.size()), matcher->catalogue().stats().tracks);
  for (size_t i = 0; i < hits.size(); ++i) {
    EXPECT_NEAR(hits[i].score, retrieval::total_of(hits[i].parts), 1e-9);
    EXPECT_EQ(hits[i].parts.size(), 2u);
    if (i > 0) {
      EXPECT_GE(hits[i - 1].score, hits[i].score - 1e-6);
    }
  }
}

TEST_F(WholeWay, AFilmFromItsFileHasTheBitsOfTheStore) {
  embed(root() / "run", root() / "store");
  const auto matcher = Matcher::open(root() / "index");
  const auto film = matcher->analyse(test_film().path);
  const auto store = store::FeatureStore::open(root() / "store");
  const auto stored = store->find({"embedding_tiny", "film", test_film().id});
  ASSERT_TRUE(stored.has_value());
  EXPECT_LT((stored->values - film.embedding[0]).abs().max().item<float>(), 1e-5);
}

TEST_F(WholeWay, ACatalogueAnswersWithoutWhatItWasMadeFrom) {
  test::TempFolder elsewhere;
  fs::copy(root() / "index", elsewhere / "index", fs::copy_options::recursive);
  const auto here = Matcher::open(root() / "index");
  const auto there = Matcher::open(elsewhere / "index");
  const auto film = there->analyse(test_film().path);
  EXPECT_EQ(there->match(film).front().id, here->match(film).front().id);
}

// A sentence encoder small enough to make here, its transformer in a folder of its own as in older
// published ones: every tag and "piano" are words of it.
void write_text_encoder(const test::ModelFolder& folder, const store::Manifest& manifest) {
  std::set<std::string> words = {"piano"};
  for (const auto& item : manifest.items) words.insert(item.tags.begin(), item.tags.end());
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n";
  for (const auto& word : words) vocabulary += word + "\n";
  const int64_t size = int64_t(words.size()) + 4;
  folder.write("0_Transformer/vocab.txt", vocabulary);
  folder.write("0_Transformer/config.json", json{{"model_type", "bert"},
                                                 {"vocab_size", size},
                                                 {"hidden_size", 16},
                                                 {"num_hidden_layers", 1},
                                                 {"num_attention_heads", 2},
                                                 {"intermediate_size", 16},
                                                 {"max_position_embeddings", 12},
                                                 {"type_vocab_size", 2},
                                                 {"layer_norm_eps", 1e-12},
                                                 {"hidden_act", "gelu"}});
  folder.write(
      "modules.json",
      json::array({{{"idx", 0}, {"path", "0_Transformer"}, {"type", "x.models.Transformer"}},
                   {{"idx", 1}, {"path", "1_Pooling"}, {"type", "x.models.Pooling"}}}));
  folder.write("1_Pooling/config.json",
               json{{"word_embedding_dimension", 16}, {"pooling_mode_mean_tokens", true}});
  text::BertEncoder net{text::BertEncoderOptions(text::BertKind::bert, size, 16)
                            .layers(1)
                            .heads(2)
                            .feed_forward(16)
                            .positions(12)};
  test::fill_by_formula(*net);
  std::vector<std::pair<std::string, at::Tensor>> weights;
  for (const auto& item : net->named_parameters()) {
    weights.emplace_back(item.key(), item.value().detach());
  }
  store::write_safetensors(folder.path() / "0_Transformer" / "model.safetensors", weights);
}

TEST_F(WholeWay, AnyWordsFindMusicWhereTheStoreHasASentenceEncoder) {
  VMR_NEEDS(kBuiltUtf8proc, "utf8proc");
  const test::TempFolder elsewhere;
  fs::copy(root() / "store", elsewhere / "store", fs::copy_options::recursive);
  const test::ModelFolder encoder;
  write_text_encoder(encoder, read_library());
  encoder.write("onnx/model.onnx", json::object());
  const auto summary = embed_tags(encoder.path(), elsewhere / "store");
  EXPECT_FALSE(fs::exists(text_encoder_folder(elsewhere / "store") / "onnx"));
  EXPECT_GT(summary.items, 1);
  EXPECT_EQ(embed_tags(encoder.path(), elsewhere / "store").items, 0);
  train_matching(tiny_recipe(), elsewhere / "store", elsewhere / "run");
  build_index(elsewhere / "run", elsewhere / "store", elsewhere / "index");
  fs::remove_all(elsewhere / "store");
  fs::remove_all(elsewhere / "run");

  const auto matcher = Matcher::open(elsewhere / "index");
  const auto hits = matcher->match_text({.top = 100, .text = "calm piano"});
  EXPECT_EQ(int64_t(hits.size()), matcher->catalogue().stats().tracks);
  ASSERT_EQ(hits.front().parts.size(), 1u);
  EXPECT_EQ(hits.front().parts[0].name, "words");
  // The score is that of the words' sentence vector in the model's space.
  const auto sentence = text::SentenceEncoder::open(encoder.path()).encode({"calm piano"});
  const auto run =
      open_matching_run(matcher->catalogue().attachment_path("model/about.json")->parent_path());
  const auto query = (*run.model->embed_text(sentence))[0][0];
  const auto snapshot = matcher->catalogue().snapshot();
  const auto track = snapshot->vectors(snapshot->find(hits.front().id)->index)[0];
  EXPECT_NEAR(hits.front().score, query.dot(track).item<double>(), 1e-5);
  // A tag is found by the same way.
  EXPECT_EQ(matcher->match_text({.text = "calm"}).size(), 10u);
  EXPECT_THROW(matcher->match_text({}), InvalidArgument);
  EXPECT_THAT([&] { Matcher::open(root() / "index")->match_text({.text = "calm piano"}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("no sentence encoder")));
}

TEST_F(WholeWay, TracksCanBeAddedFiltersCostNoResultsAndTagsHelp) {
  test::TempFolder elsewhere;
  fs::copy(root() / "index", elsewhere / "index", fs::copy_options::recursive);
  const auto matcher = Matcher::open(elsewhere / "index");
  const auto before = matcher->catalogue().stats().tracks;
  auto item = *store::read_manifest(root() / "library" / "manifest.jsonl").of("music").front();
  item.id = "copy";
  item.fields["license"] = "mine";
  store::ManifestItem broken = item;
  broken.id = "broken";
  broken.path = elsewhere / "none.mp3";
  const auto added = matcher->add({item, broken});
  EXPECT_EQ(added.tracks, 1);
  ASSERT_EQ(added.failures.size(), 1u);
  EXPECT_EQ(matcher->catalogue().stats().tracks, before + 1);

  const auto film = matcher->analyse(test_film().path);
  const auto mine = matcher->match(film, {.top = 3, .filter = "license=mine"});
  ASSERT_EQ(mine.size(), 1u);
  EXPECT_EQ(mine.front().id, "copy");
  EXPECT_EQ(matcher->match(film, {.text = "calm"}).front().parts.back().name, "words");
  EXPECT_THAT([&] { matcher->match(film, {.text = "clam"}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("did you mean \"calm\"?")));
  // A track embedded from its file has the score of the same track embedded from the store.
  const auto all = matcher->match(film, {.top = 100});
  const auto score = [&](const std::string& id) {
    return std::find_if(all.begin(), all.end(), [&](const auto& hit) { return hit.id == id; })
        ->score;
  };
  const auto manifest = store::read_manifest(root() / "library" / "manifest.jsonl");
  EXPECT_NEAR(score("copy"), score(manifest.of("music").front()->id), 1e-5);
}

TEST_F(WholeWay, WordsBesideAFilmWeighWhatIsAskedFor) {
  const auto matcher = Matcher::open(root() / "index");
  const auto film = matcher->analyse(test_film().path);
  const auto scores = [](const std::vector<retrieval::Hit>& hits) {
    std::map<std::string, double> result;
    for (const auto& hit : hits) result[hit.id] = hit.score;
    return result;
  };
  const auto of_film = scores(matcher->match(film, {.top = 100}));
  const auto of_words = scores(matcher->match_text({.top = 100, .text = "calm"}));
  const auto both = scores(matcher->match(film, {.top = 100, .text = "calm", .text_weight = 0.25}));
  ASSERT_EQ(both.size(), of_film.size());
  for (const auto& [id, score] : both) {
    EXPECT_NEAR(score, 0.75 * of_film.at(id) + 0.25 * of_words.at(id), 1e-5) << id;
    EXPECT_GT(std::abs(of_film.at(id) - of_words.at(id)), 1e-4) << id;
  }
}

TEST_F(WholeWay, ReportIsOnePageWithPicturesCurvesAndPlayers) {
  const auto matcher = Matcher::open(root() / "index");
  const auto film = matcher->analyse(test_film().path);
  write_match_report(root() / "report.html", film, matcher->match(film, {.top = 3}),
                     {.players = 1});
  std::ifstream in(root() / "report.html");
  std::stringstream text;
  text << in.rdbuf();
  const auto count = [&](const std::string& what) {
    size_t found = 0;
    for (size_t at = text.str().find(what); at != std::string::npos;
         at = text.str().find(what, at + 1)) {
      ++found;
    }
    return found;
  };
  EXPECT_EQ(count("data:image/jpeg;base64,"), 12u);
  EXPECT_EQ(count("<audio"), 1u);
  EXPECT_EQ(count("class=\"hit\""), 3u);
  EXPECT_GE(count("<svg"), 4u);  // the film's curve and one for each hit
  EXPECT_EQ(count("http://") + count("https://"), count("http://www.w3.org"));
}

TEST_F(WholeWay, RunsAndStoresThatDoNotBelongTogetherAreRefused) {
  EXPECT_THAT([&] { open_matching_run(root() / "audio"); },
              ThrowsMessage<StoreError>(HasSubstr("not a run of `vmr train`")));
  EXPECT_THROW(build_index(root() / "run", root() / "store", root() / "index"), StoreError);
  EXPECT_THAT([&] { pretrain(tiny_recipe(), "speech", root() / "store", root() / "x"); },
              ThrowsMessage<InvalidArgument>(HasSubstr("no pretrain.speech")));
}

}  // namespace
}  // namespace vmr::pipeline
