// Tempo and beats of a song: example_track_beats song.mp3
#include <cstdio>

#include "vmr/audio/beat.h"
#include "vmr/core/error.h"
#include "vmr/media/audio_reader.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: example_track_beats FILE\n");
    return 2;
  }
  try {
    const auto sound = vmr::media::read_audio(argv[1], {.rate_hz = 16000});
    const auto result = vmr::audio::track_beats(sound.samples[0].contiguous());
    std::printf("%.1f BPM\n", result.tempo_bpm);
    for (const double seconds : result.beats_seconds) std::printf("%.3f\n", seconds);
  } catch (const vmr::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
