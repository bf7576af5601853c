// Pins the scores of embeddings by both distances, worked by hand, and a film's joint row with and
// without a shortlist.
#include "vmr/train/embed_dataset.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "model/formula_items.h"
#include "vmr/core/error.h"

namespace vmr::train {
namespace {

using namespace vmr::test;

TEST(EmbeddingScores, WeighTheDistancesOfUnitSlices) {
  // Slices of weights 0.36 and 0.64: a unit vector (cos, sin) times 0.6, and +-1 times 0.8.
  const std::vector<model::ScoreSlice> slices = {{"theta", 0, 2, 0.36}, {"rho", 2, 3, 0.64}};
  const auto films = torch::tensor({0.6f, 0.0f, 0.8f}).view({1, 1, 3});
  const auto tracks = torch::tensor({0.6f, 0.0f, 0.8f,     // the same
                                     0.0f, 0.6f, 0.8f,     // theta at a right angle
                                     -0.6f, 0.0f, -0.8f})  // both opposite
                          .view({3, 1, 3});
  const auto l2 = embedding_scores(films, tracks, slices, Distance::l2)[0];
  EXPECT_NEAR(l2[0].item<double>(), 0, 1e-6);
  EXPECT_NEAR(l2[1].item<double>(), -0.36 * std::sqrt(2.0), 1e-6);
  EXPECT_NEAR(l2[2].item<double>(), -(0.36 * 2 + 0.64 * 2), 1e-6);
  const auto cosine = embedding_scores(films, tracks, slices, Distance::cosine)[0];
  EXPECT_NEAR(cosine[1].item<double>(), 0.64, 1e-6);
  EXPECT_NEAR(cosine[2].item<double>(), -1, 1e-6);
  // Several vectors: the mean of theirs.
  const auto two = embedding_scores(films.expand({1, 2, 3}), tracks.narrow(0, 1, 2).view({1, 2, 3}),
                                    slices, Distance::l2);
  EXPECT_NEAR(two.item<double>(), (l2[1] + l2[2]).item<double>() / 2, 1e-6);
  EXPECT_THROW(embedding_scores(films[0], tracks, slices, Distance::l2), InvalidArgument);
}

TEST(JointRow, AShortlistOfAllHasTheBitsOfTheWholeGallery) {
  auto model = filled(small());
  const auto film = model->prepare_video(item_of(batch().video, 1));
  const auto music = model->prepare_music(batch().music);
  const auto first = torch::tensor({0.1f, 0.4f, 0.3f, 0.2f});
  const auto whole = joint_row(*model, *film, *music, first);
  EXPECT_TRUE(joint_row(*model, *film, *music, first, {.shortlist = kBatch}).equal(whole));
  EXPECT_TRUE(joint_row(*model, *film, *music, first, {.shortlist = 100}).equal(whole));

  const auto two = joint_row(*model, *film, *music, first, {.shortlist = 2});
  for (const int64_t track : {1, 2}) {
    EXPECT_NEAR(two[track].item<double>(), whole[track].item<double>(), 1e-6);
  }
  // The others follow below the least of the list in the order of `first`.
  EXPECT_LT(two[3].item<double>(), std::min(two[1].item<double>(), two[2].item<double>()));
  EXPECT_NEAR((two[3] - two[0]).item<double>(), 0.1, 1e-6);
  EXPECT_THROW(joint_row(*model, *film, *music, first.narrow(0, 0, 3), {.shortlist = 2}),
               InvalidArgument);
}

TEST(JointColumn, IsTheTracksColumnOfTheJointScores) {
  auto model = filled(small());
  const auto films = *model->prepare_video(batch().video);
  const auto track = *model->prepare_music(item_of(batch().music, 2));
  const auto first = torch::tensor({0.1f, 0.4f, 0.3f, 0.2f});
  const auto whole = joint_column(*model, films, track, first);
  ASSERT_EQ(whole.sizes(), at::IntArrayRef({kBatch}));
  for (int64_t film = 0; film < kBatch; ++film) {
    const auto row =
        joint_row(*model, films.narrow(0, film, 1), *model->prepare_music(batch().music), first);
    EXPECT_NEAR(whole[film].item<double>(), row[2].item<double>(), 1e-6);
  }
  EXPECT_TRUE(joint_column(*model, films, track, first, {.shortlist = 100}).equal(whole));
  const auto two = joint_column(*model, films, track, first, {.shortlist = 2});
  for (const int64_t film : {1, 2}) {
    EXPECT_NEAR(two[film].item<double>(), whole[film].item<double>(), 1e-6);
  }
  EXPECT_LT(two[3].item<double>(), std::min(two[1].item<double>(), two[2].item<double>()));
  EXPECT_NEAR((two[3] - two[0]).item<double>(), 0.1, 1e-6);
  EXPECT_THROW(
      joint_column(*model, films, track, first, {.scoring = model::PairScoring::gallery_mean}),
      InvalidArgument);
}

}  // namespace
}  // namespace vmr::train
