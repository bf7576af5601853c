// A four-minute compressed file to 16 kHz mono; peers: librosa, torchcodec, the ffmpeg program, and
// for "bare" the ffmpeg program that decodes and throws the samples away.
#include "bench_case.h"
#include "bench_media.h"
#include "vmr/media/audio_reader.h"

int main(int argc, char** argv) {
  using namespace vmr;
  for (const auto* extension : {"mp3", "m4a", "ogg"}) {
    const auto path = bench::sound(extension);
    for (const auto* suffix : {"", " against bare decoder"}) {
      bench::add({std::string(extension) + suffix, 1, "x real time", bench::kSoundSeconds},
                 [path] { media::read_audio(path); });
    }
  }
  return bench::run(argc, argv);
}
