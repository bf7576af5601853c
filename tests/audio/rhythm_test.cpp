// Pins clip cutting, rhythm measures, their classes and their text format to hand-made cases.
#include "vmr/audio/rhythm.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "audio/test_signals.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

const float kNan = NAN;

at::Tensor rows(const std::vector<float>& values) { return at::tensor(values).view({-1, 3}); }

TEST(Clips, CompletesOrDropsTheRemainder) {
  // 4 s clips at 10 Hz: 40 samples; kept up to 30 s = 300 samples.
  const ClipOptions options{.rate_hz = 10};
  const std::vector<std::pair<int64_t, int64_t>> cases{
      {0, 0},  {20, 0},  {21, 1},  {40, 1},  {60, 1},  {61, 2},  {80, 2},
      {81, 2}, {280, 7}, {299, 7}, {300, 7}, {301, 7}, {9999, 7}};
  for (const auto& [samples, clips] : cases) {
    const auto wave = at::arange(1, samples + 1).to(at::kFloat);
    const auto cut = cut_into_clips(wave, options);
    EXPECT_EQ(cut.sizes(), (std::vector<int64_t>{clips, 40})) << samples;
    const int64_t kept = std::min(samples, clips * 40);
    EXPECT_TRUE(at::equal(cut.flatten().narrow(0, 0, kept), wave.narrow(0, 0, kept)));
    EXPECT_EQ(cut.flatten().narrow(0, kept, clips * 40 - kept).abs().sum().item<float>(), 0);
  }
  EXPECT_EQ(clip_count(9999, {.rate_hz = 10, .max_seconds = 0}), 250);
  // A limit inside a clip: 31 s keep 7 whole clips and 3 s, which are completed.
  const auto cut = cut_into_clips(at::arange(1, 1001), {.rate_hz = 10, .max_seconds = 31});
  EXPECT_EQ(cut.size(0), 8);
  EXPECT_EQ(cut[7][29].item<int64_t>(), 310);
  EXPECT_EQ(cut[7][30].item<int64_t>(), 0);
}

TEST(Clips, NamesWhatIsWrong) {
  EXPECT_THROW(cut_into_clips(at::zeros({2, 100})), InvalidArgument);
  EXPECT_THROW(cut_into_clips(at::Tensor()), InvalidArgument);
  EXPECT_THROW(cut_into_clips(at::zeros({100}), {.rate_hz = 0}), InvalidArgument);
  EXPECT_THROW(cut_into_clips(at::zeros({100}), {.rate_hz = 11, .clip_seconds = 0.5}),
               InvalidArgument);
  EXPECT_THROW(cut_into_clips(at::zeros({100}), {.max_seconds = -1}), InvalidArgument);
}

TEST(Rhythm, ReferenceMeasuresEachClipAlone) {
  const auto& clips = test::golden("librosa").at("clips");
  RhythmOptions options;
  options.beats.method = BeatMethod::reference;
  std::vector<at::Tensor> waves;
  for (const int index : {3, 9})
    waves.push_back(test::render({clips[index].at("bpm"), 4, clips[index].at("seed")}).waveform);
  waves.push_back(at::zeros({64000}));
  waves.push_back(at::zeros({63999}));  // less than a clip: not described
  const auto measures = rhythm_measures(at::cat(waves), options);
  ASSERT_EQ(measures.sizes(), (std::vector<int64_t>{3, 3}));
  int64_t row = 0;
  for (const int index : {3, 9}) {
    const auto beats = clips[index].at("beats").get<std::vector<int64_t>>();
    const auto onset = clips[index].at("onset").get<std::vector<double>>();
    double strength = 0;
    for (const int64_t beat : beats) strength += onset[beat] / static_cast<double>(beats.size());
    EXPECT_EQ(measures[row][0].item<float>(), static_cast<float>(beats.size()));
    EXPECT_NEAR(measures[row][1].item<float>(), strength, 1e-3);
    EXPECT_NEAR(measures[row][2].item<float>(),
                0.032 * static_cast<double>(beats.back() - beats.front()) /
                    static_cast<double>(beats.size() - 1),
                1e-6);
    ++row;
  }
  EXPECT_EQ(measures[2][0].item<float>(), 0);
  EXPECT_TRUE(std::isnan(measures[2][1].item<float>()));
  EXPECT_TRUE(std::isnan(measures[2][2].item<float>()));
}

TEST(Rhythm, TrackerCutsTheBeatsOfTheWholeSong) {
  const auto wave = test::render({120, 14, 60}).waveform;
  const auto track = track_beats(wave);
  const auto measures = rhythm_measures(wave);
  ASSERT_EQ(measures.sizes(), (std::vector<int64_t>{3, 3}));
  for (int64_t clip = 0; clip < 3; ++clip) {
    EXPECT_EQ(measures[clip][0].item<float>(), 8) << clip;
    EXPECT_NEAR(measures[clip][2].item<float>(), 0.5, 0.01);
  }
  double strength = 0;
  for (size_t i = 0; i < 8; ++i) strength += track.onset[track.beat_frames[i]].item<float>() / 8;
  EXPECT_NEAR(measures[0][1].item<float>(), strength, 1e-5);
}

TEST(Rhythm, MeasuresNothingOfLessThanAClip) {
  EXPECT_EQ(rhythm_measures(at::zeros({100})).sizes(), (std::vector<int64_t>{0, 3}));
}

TEST(RhythmClasses, FollowTheTable) {
  const auto result = rhythm_classes(rows({0, kNan, kNan,    //
                                           1, 2.5F, kNan,    // ties to even
                                           2, 3.5F, 0.5F,    //
                                           7, 0.2F, 0.624F,  // floor(9.984)
                                           17, 48.4F, 3.99F}));
  EXPECT_TRUE(at::equal(
      result.classes,
      at::tensor({0L, 0L, 64L, 1L, 2L, 64L, 2L, 4L, 8L, 7L, 0L, 9L, 17L, 48L, 63L}).view({5, 3})));
  EXPECT_EQ(result.clamped, 0);
}

TEST(RhythmClasses, CountWhatTheyClamp) {
  const auto result = rhythm_classes(rows({18, 49, 4, 3, 48.6F, 1}));
  EXPECT_TRUE(at::equal(result.classes, at::tensor({17L, 48L, 63L, 3L, 48L, 16L}).view({2, 3})));
  EXPECT_EQ(result.clamped, 4);
}

TEST(RhythmClasses, NameWhatIsWrong) {
  EXPECT_THROW(rhythm_classes(at::zeros({3})), InvalidArgument);
  EXPECT_THROW(rhythm_classes(rows({kNan, 1, 1})), InvalidArgument);
  EXPECT_THROW(rhythm_classes(rows({-1, 1, 1})), InvalidArgument);
  EXPECT_THROW(rhythm_classes(rows({1, kNan, 1})), InvalidArgument);
  EXPECT_THROW(rhythm_classes(rows({2, 1, kNan})), InvalidArgument);
  EXPECT_THROW(rhythm_classes(rows({2, 1, 1}), {.clip_seconds = 0}), InvalidArgument);
  EXPECT_THROW(rhythm_classes(rows({2, 1, 1}), {.interval_classes = 1}), InvalidArgument);
  RhythmOptions options;
  options.clip_seconds = 0;
  EXPECT_THROW(rhythm_measures(at::zeros({100}), options), InvalidArgument);
}

TEST(RhythmText, IsTabSeparatedWithNan) {
  const auto text =
      write_rhythm_text({{"a", rows({2, 1.25F, 0.5F, 0, kNan, kNan})}, {"c", rows({1, 3, kNan})}});
  EXPECT_EQ(text,
            "#aid\tn_beat\tbeat_strength\tbeat_interval\n"
            "a\t2\t1.25\t0.5\na\t0\tnan\tnan\nc\t1\t3.0\tnan\n");
  for (const char* id : {"a\tb", "a b", "", "#a"}) {
    EXPECT_THROW(write_rhythm_text({{id, rows({0, 0, 0})}}), InvalidArgument) << id;
  }
}

}  // namespace
}  // namespace vmr::audio
