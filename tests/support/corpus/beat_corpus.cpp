#include "support/corpus/beat_corpus.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "support/corpus/band.h"
#include "support/corpus/composer.h"
#include "support/corpus/groove.h"
#include "support/corpus/midi_file.h"
#include "support/corpus/no_music.h"
#include "support/corpus/random_songs.h"

namespace vmr::corpus {
namespace {

namespace fs = std::filesystem;

void write_truth(const fs::path& path, const Piece& piece) {
  std::ofstream(path) << nlohmann::ordered_json{{"metre", piece.metre},
                                                {"bpm", piece.bpm},
                                                {"tempo_octave_ok", piece.tempo_octave_ok},
                                                {"seconds", piece.seconds},
                                                {"tags", piece.tags},
                                                {"down_beats", piece.down_beats},
                                                {"beats", piece.beats}}
                             .dump(1)
                      << "\n";
}

Samples play(const Piece& piece, const CorpusOptions& options, const fs::path& scratch,
             std::set<std::string>& tags) {
  if (options.split != Split::check) {
    if (const auto font = find_sound_font()) {
      tags.insert("fluidsynth");
      return play_midi(piece, *font, scratch);
    }
  }
  tags.insert("band");
  return play_band(piece, options.seed);
}

std::optional<NoMusic> without_music(Split split) {
  switch (split) {
    case Split::none:
      return NoMusic::mixed;
    case Split::noise:
      return NoMusic::noise;
    case Split::speech:
      return NoMusic::speech;
    case Split::silence:
      return NoMusic::silence;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::vector<Piece> compose_corpus(const CorpusOptions& options) {
  if (without_music(options.split)) return {};
  if (options.split == Split::random) return compose_random_songs(options.seed, options.pieces);
  return options.split == Split::dev ? compose_songs(options.seed, options.pieces)
                                     : compose_grooves(options.seed, options.pieces);
}

int write_corpus(const fs::path& folder, const CorpusOptions& options) {
  fs::create_directories(folder);
  if (const auto set = without_music(options.split))
    return write_no_music(folder, *set, options.seed, options.pieces);
  const auto scratch = folder / ".scratch";
  fs::create_directories(scratch);
  uint64_t item = options.seed * 1000;
  for (Piece& piece : compose_corpus(options)) {
    auto samples = play(piece, options, scratch, piece.tags);
    if (!apply(piece.treatment, ++item, scratch, samples)) piece.tags.erase("mp3");
    write_wav(folder / (piece.name + ".wav"), samples);
    write_truth(folder / (piece.name + ".json"), piece);
  }
  fs::remove_all(scratch);
  return options.pieces;
}

}  // namespace vmr::corpus
