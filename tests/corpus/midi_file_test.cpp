// Pins MIDI files by reading them back, and FluidSynth's sound to the times of the notes.
#include "support/corpus/midi_file.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <map>

#include "support/corpus/beat_corpus.h"
#include "support/temp_folder.h"

namespace vmr::corpus {
namespace {

struct Played {
  int program = 0, pitch = 0;
  double start_seconds = 0;
};

// The note starts of a file of one track, timed by its tempo map.
class MidiReader {
 public:
  explicit MidiReader(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
    ticks_ = 256 * byte(12) + byte(13);
    for (at_ = 22; at_ < bytes_.size();) event();
  }
  std::vector<Played> notes;

 private:
  int byte(size_t at) const { return static_cast<unsigned char>(bytes_.at(at)); }
  int number() {
    int value = 0;
    while (byte(at_) & 0x80) value = value << 7 | (byte(at_++) & 0x7f);
    return value << 7 | byte(at_++);
  }
  void event() {
    now_ += number() * tempo_ / ticks_;
    const int status = byte(at_++), channel = status & 15;
    if (status == 0xff) {
      const int kind = byte(at_++), size = number();
      if (kind == 0x51) tempo_ = (65536 * byte(at_) + 256 * byte(at_ + 1) + byte(at_ + 2)) * 1e-6;
      at_ += size_t(size);
      return;
    }
    if (status >> 4 == 0xc) {
      programs_[channel] = byte(at_++);
      return;
    }
    if (status >> 4 == 9)
      notes.push_back({channel == 9 ? kDrums : programs_.at(channel), byte(at_), now_});
    at_ += 2;
  }

  std::string bytes_;
  size_t at_ = 0;
  int ticks_ = 0;
  double now_ = 0, tempo_ = 0.5;
  std::map<int, int> programs_;
};

TEST(MidiFile, HoldsEveryNoteAtItsTime) {
  const test::TempFolder folder;
  for (const Piece& piece : compose_corpus({.pieces = 12})) {
    SCOPED_TRACE(piece.name);
    write_midi(folder / "a.mid", piece);
    const MidiReader file(folder / "a.mid");
    ASSERT_EQ(file.notes.size(), piece.notes.size());
    auto wanted = piece.notes;
    std::stable_sort(wanted.begin(), wanted.end(), [](const Note& a, const Note& b) {
      return a.start_seconds < b.start_seconds;
    });
    std::map<std::pair<int, int>, int> parts;
    for (size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(file.notes[i].start_seconds, wanted[i].start_seconds, 5e-4);
      ++parts[{wanted[i].program, wanted[i].pitch}];
      --parts[{file.notes[i].program, file.notes[i].pitch}];
    }
    for (const auto& [part, more] : parts) EXPECT_EQ(more, 0) << part.first << " " << part.second;
  }
}

TEST(MidiFile, SoundsAtTheTimeOfItsNotes) {
  const auto font = find_sound_font();
  if (!font) GTEST_SKIP() << "FluidSynth or a sound font is not installed";
  const test::TempFolder folder;
  Piece piece{.name = "clicks", .metre = "4/4"};
  double now = 0.7;
  for (int i = 0; i < 40; ++i, now += 0.6 * std::pow(0.99, i)) {
    piece.beats.push_back(now);
    piece.notes.push_back({kDrums, now, 0.1, 37, 0.9});
  }
  piece.seconds = now + 1;
  const auto samples = play_midi(piece, *font, folder.path());
  for (const double beat : piece.beats) {
    const auto from = size_t((beat - 0.03) * kRateHz);
    size_t first = from;
    while (first < samples.size() && std::abs(samples[first]) < 0.02f) ++first;
    ASSERT_LT(first, samples.size());
    EXPECT_NEAR(double(first) / kRateHz, beat + 0.003, 0.003);
  }
}

}  // namespace
}  // namespace vmr::corpus
