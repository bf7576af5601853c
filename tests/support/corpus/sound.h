// Samples of a rendered piece, WAV files, and what recordings go through: noise, fades, MP3.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "support/corpus/piece.h"

namespace vmr::corpus {

inline constexpr int kRateHz = 44100;

using Samples = std::vector<float>;  // mono at kRateHz, full scale 1

// 16 bit PCM; of several channels the mean. Throws: std::runtime_error for other files.
void write_wav(const std::filesystem::path& path, const Samples& samples);
Samples read_wav(const std::filesystem::path& path);

void scale_to_peak(Samples& samples, double level_db);
// Pink noise and a little hum at `snr_db` below the mean power of `samples`.
void add_noise(Samples& samples, double snr_db, uint64_t seed);
// All of a treatment; MP3 by the program ffmpeg in `scratch`, and without it no MP3. Returns
// whether all was done. The length stays, and so does the time of each sample.
bool apply(const Treatment& treatment, uint64_t seed, const std::filesystem::path& scratch,
           Samples& samples);

// Runs a command of the system, its output dropped. Returns whether it ended well.
bool run_program(const std::vector<std::string>& words);

}  // namespace vmr::corpus
