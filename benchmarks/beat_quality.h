// Beats found in the pieces of a folder of NAME.wav and NAME.json (beat_corpus), scored.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace vmr::bench {

struct BeatPiece {
  std::string name;
  at::Tensor samples;  // [samples] float32 at 16 kHz
  std::vector<double> beats;
  std::vector<std::string> tags;
  std::vector<double> down_beats;  // none where the truth has none
};

struct BeatFolder {
  std::string title;  // of what is in it
  std::filesystem::path path;
};

// Made at first use beside the other media (bench_media.h): 42 songs, played by FluidSynth where it
// is installed; 42 grooves, another composer and band, which nothing is tuned to; the 24 songs of
// the synthetic library; 20 sounds without beats.
std::vector<BeatFolder> beat_folders();

// 40 minutes each of noise, speech and silence, kinds that nothing is tuned to.
std::vector<BeatFolder> beatless_folders();

// In the order of their names.
std::vector<BeatPiece> read_pieces(const std::filesystem::path& folder);
double seconds_of(const std::vector<BeatPiece>& pieces);

using FindBeats = std::function<std::vector<double>(const at::Tensor& samples)>;

// Means over the pieces as mir_eval defines them: F, CMLt, AMLt, information gain, tempo accuracy
// 1 and 2 at 4 %; "F:tag" and "AMLt:tag" over those with a tag that three pieces have at least.
std::map<std::string, double> beat_quality(const std::vector<BeatPiece>& pieces,
                                           const FindBeats& find);

// The share of the time of all pieces, by corpus::covered_share.
std::map<std::string, double> time_with_beats(const std::vector<BeatPiece>& pieces,
                                              const FindBeats& find);

}  // namespace vmr::bench
