// Pins what the corpus promises: tempi, metres and hardships that it covers, truth that the notes
// and the sound agree with, sound without music, the same files from the same seed.
#include "support/corpus/beat_corpus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/temp_folder.h"

namespace vmr::corpus {
namespace {

using Json = nlohmann::json;

const std::vector<Piece>& pieces(Split split) {
  static const auto dev = compose_corpus({.split = Split::dev, .pieces = 42});
  static const auto check = compose_corpus({.split = Split::check, .pieces = 42});
  return split == Split::dev ? dev : check;
}

class BeatCorpus : public testing::TestWithParam<Split> {};

TEST_P(BeatCorpus, CoversTempiMetresAndHardships) {
  std::multiset<std::string> tags;
  double slowest = 1e3, fastest = 0;
  for (const Piece& piece : pieces(GetParam())) {
    tags.insert(piece.tags.begin(), piece.tags.end());
    slowest = std::min(slowest, piece.bpm);
    fastest = std::max(fastest, piece.bpm);
    EXPECT_GE(piece.seconds, 20) << piece.name;
    EXPECT_LE(piece.seconds, 62) << piece.name;
  }
  EXPECT_LT(slowest, 70);
  EXPECT_GT(fastest, 160);
  EXPECT_GE(slowest, 55);
  EXPECT_LE(fastest, 200);
  for (const char* tag : {"metre_2/4", "metre_3/4", "metre_4/4", "metre_5/4", "metre_7/4",
                          "no_drums", "swung", "ramp", "step", "noise", "mp3", "fade", "quiet",
                          "expressive", "sparse", "compound", "pause"})
    EXPECT_GE(tags.count(tag), 1u) << tag;
}

TEST_P(BeatCorpus, HasBeatsThatTheNotesAreStruckOn) {
  for (const Piece& piece : pieces(GetParam())) {
    SCOPED_TRACE(piece.name);
    EXPECT_TRUE(std::is_sorted(piece.beats.begin(), piece.beats.end()));
    EXPECT_TRUE(std::includes(piece.beats.begin(), piece.beats.end(), piece.down_beats.begin(),
                              piece.down_beats.end()));
    const auto bar = std::lower_bound(piece.beats.begin(), piece.beats.end(), piece.down_beats[1]);
    const int beats = piece.metre == "6/8" ? 2 : piece.metre[0] - '0';
    EXPECT_EQ(bar - piece.beats.begin(), beats);
    const auto near_note = [&](double when) {
      return std::any_of(piece.notes.begin(), piece.notes.end(), [&](const Note& note) {
        return std::abs(note.start_seconds - when) < 0.035;
      });
    };
    const auto share = [&](const std::vector<double>& times) {
      return double(std::count_if(times.begin(), times.end(), near_note)) / double(times.size());
    };
    EXPECT_GE(share(piece.down_beats), 0.7);
    EXPECT_GE(share(piece.beats), piece.tags.contains("sparse") ? 0.3 : 0.5);
    for (const Note& note : piece.notes) {
      ASSERT_LT(note.start_seconds, piece.seconds);
      ASSERT_TRUE(note.pitch > 20 && note.pitch < 110 && note.velocity > 0 && note.velocity <= 1);
    }
  }
}

TEST_P(BeatCorpus, DependsOnTheSeed) {
  const auto again = compose_corpus({.split = GetParam(), .pieces = 42});
  const auto other = compose_corpus({.split = GetParam(), .seed = 2, .pieces = 42});
  int equal = 0;
  for (size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].beats, pieces(GetParam())[i].beats);
    EXPECT_EQ(again[i].notes.size(), pieces(GetParam())[i].notes.size());
    equal += other[i].beats == again[i].beats;
  }
  EXPECT_EQ(equal, 0);
}

INSTANTIATE_TEST_SUITE_P(Splits, BeatCorpus, testing::Values(Split::dev, Split::check),
                         [](const auto& one) {
                           return one.param == Split::dev ? "Songs" : "Grooves";
                         });

TEST(BeatCorpusFiles, SoundLouderFromTheBeatOn) {
  const test::TempFolder folder;
  EXPECT_EQ(write_corpus(folder.path(), {.split = Split::check, .pieces = 3}), 3);
  int pieces = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().extension() != ".json") continue;
    ++pieces;
    const auto truth = Json::parse(std::ifstream(entry.path()));
    const auto samples = read_wav(std::filesystem::path(entry.path()).replace_extension(".wav"));
    EXPECT_NEAR(double(samples.size()) / kRateHz, truth.at("seconds"), 1e-3);
    // Mean rise of the level over the beats, against places two fifths of a beat later.
    const auto rise = [&](double when) {
      const auto level = [&](double from) {
        double sum = 1e-9;
        for (size_t i = size_t(from * kRateHz); i < size_t((from + 0.04) * kRateHz); ++i)
          sum += samples.at(i) * samples.at(i);
        return std::log(sum);
      };
      return level(when + 0.005) - level(when - 0.045);
    };
    double on = 0, off = 0;
    const auto beats = truth.at("beats").get<std::vector<double>>();
    for (size_t i = 2; i + 2 < beats.size(); ++i) {
      on += rise(beats[i]);
      off += rise(beats[i] + 0.4 * (beats[i + 1] - beats[i]));
    }
    EXPECT_GT(on, off + 0.3 * double(beats.size())) << entry.path();
  }
  EXPECT_EQ(pieces, 3);
  EXPECT_FALSE(std::filesystem::exists(folder / ".scratch"));
}

TEST(RandomSongs, CoverMetresAndTempiAndAreStruckOnTheirBars) {
  std::multiset<std::string> tags;
  for (const Piece& piece : compose_corpus({.split = Split::random, .pieces = 80})) {
    SCOPED_TRACE(piece.name);
    tags.insert(piece.tags.begin(), piece.tags.end());
    EXPECT_TRUE(std::is_sorted(piece.beats.begin(), piece.beats.end()));
    const int metre = piece.metre[0] - '0';
    double struck = 0;
    for (size_t bar = 0; bar < piece.down_beats.size(); ++bar) {
      ASSERT_EQ(piece.down_beats[bar], piece.beats[bar * size_t(metre)]);
      struck += std::any_of(piece.notes.begin(), piece.notes.end(), [&](const Note& note) {
        return std::abs(note.start_seconds - piece.down_beats[bar]) < 0.035;
      });
    }
    EXPECT_GE(struck, 0.7 * double(piece.down_beats.size()));
    for (const Note& note : piece.notes) ASSERT_LT(note.start_seconds, piece.seconds + 0.05);
  }
  for (const char* tag :
       {"metre_2/4", "metre_3/4", "metre_4/4", "metre_5/4", "metre_7/4", "slow", "fast", "no_drums",
        "drums_rock", "drums_half", "chords_off_beat", "swung", "step", "ramp", "expressive"})
    EXPECT_GE(tags.count(tag), 1u) << tag;
}

TEST(BeatCorpusFiles, HoldSoundWithoutBeats) {
  const test::TempFolder folder;
  EXPECT_EQ(write_corpus(folder.path(), {.split = Split::none, .pieces = 3}), 3);
  for (const char* name : {"none_00_speech_a", "none_01_pink_noise", "none_02_silence"}) {
    const auto truth = Json::parse(std::ifstream(folder / (std::string(name) + ".json")));
    EXPECT_TRUE(truth.at("beats").empty());
    const auto samples = read_wav(folder / (std::string(name) + ".wav"));
    EXPECT_EQ(samples.size(), size_t(60 * kRateHz));
    float peak = 0;
    for (const float sample : samples) peak = std::max(peak, std::abs(sample));
    if (std::string_view(name).ends_with("silence"))
      EXPECT_EQ(peak, 0);
    else
      EXPECT_GT(peak, 0.2);
  }
}

}  // namespace
}  // namespace vmr::corpus
