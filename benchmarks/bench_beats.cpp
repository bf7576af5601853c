// Beats of rendered music from its waveforms, one thread, and how good they are (beat_quality.h):
// our methods on songs, on grooves of another make which nothing is tuned to, on songs of the
// synthetic library, and on sound without beats. Peers: librosa, aubio, essentia, madmom.
#include "beat_quality.h"
#include "bench_case.h"
#include "vmr/audio/beat.h"
#include "vmr/audio/beat_stream.h"
#ifdef VMR_BENCH_AUBIO
#include "vmr/audio_aubio/aubio_beat.h"
#endif

namespace {

using namespace vmr;

struct Method {
  std::string name;
  bench::FindBeats find;
};

bench::FindBeats song(const audio::BeatOptions& options) {
  return [options](const at::Tensor& samples) {
    return audio::track_beats(samples, options).beats_seconds;
  };
}

bench::FindBeats stream(double latency_seconds) {
  return [latency_seconds](const at::Tensor& samples) {
    audio::BeatStream stream({.latency_seconds = latency_seconds});
    std::vector<double> seconds;
    for (const auto& beat : stream.push(samples)) seconds.push_back(beat.seconds);
    for (const auto& beat : stream.flush()) seconds.push_back(beat.seconds);
    return seconds;
  };
}

std::vector<Method> methods() {
  std::vector<Method> all{
      {"tracker", song({.method = audio::BeatMethod::tracker})},
      {"reference, as librosa 0.9", song({.method = audio::BeatMethod::reference})},
      {"stream, latency 1 s", stream(1)}};
#ifdef VMR_BENCH_AUBIO
  all.push_back({"aubio through libvmr", song({.method = audio::BeatMethod::aubio,
                                               .external = audio::aubio_beat_tracker()})});
#endif
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& [title, folder] : bench::beat_folders()) {
    const auto pieces = bench::read_pieces(folder);
    const bool music = !pieces.front().beats.empty();
    for (const auto& [name, find] : methods()) {
      bench::add({std::to_string(pieces.size()) + " " + title + ", " + name, 1, "x real time",
                  bench::seconds_of(pieces), 0.5,
                  music ? bench::beat_quality(pieces, find) : bench::time_with_beats(pieces, find)},
                 [pieces, find] {
                   for (const auto& piece : pieces) find(piece.samples);
                 });
    }
  }
  return bench::run(argc, argv);
}
