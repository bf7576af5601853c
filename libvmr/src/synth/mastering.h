// What happens to a song after its notes are mixed: room, saturation, loudness.
#pragma once

#include <vector>

namespace vmr::synth {

struct Stereo {
  std::vector<float> left, right;
};

// Adds the room's answer to `send`: parallel combs and all-passes (Schroeder 1962; Moorer 1979).
// size in [0, 1]; gain is that of the answer.
void add_room(Stereo& mix, const std::vector<float>& send, double size, double gain);

// tanh-like saturation: drive 1 is almost clean.
void saturate(Stereo& mix, double drive);

// Integrated loudness, ITU-R BS.1770-4, at kSongRateHz; -70 where nothing passes the gate. A mono
// sound is given as two equal sides and reads 3 LU more than as one.
double loudness_lufs(const Stereo& mix);

// Scales to a loudness and bends peaks above 0.75 so that they stay below 0.97.
void set_loudness(Stereo& mix, double target_lufs);

}  // namespace vmr::synth
