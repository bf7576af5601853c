#include "vmr/audio_aubio/aubio_beat.h"

#include <aubio/aubio.h>

#include <memory>

#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

template <auto Delete>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Delete(object);
  }
};
using Vector = std::unique_ptr<fvec_t, Deleter<del_fvec>>;
using Tempo = std::unique_ptr<aubio_tempo_t, Deleter<del_aubio_tempo>>;

std::vector<double> track(const at::Tensor& waveform, double rate_hz,
                          const AubioBeatOptions& options) {
  const auto window = static_cast<uint_t>(options.window_samples);
  const auto hop = static_cast<uint_t>(options.hop_samples);
  const Tempo tempo(new_aubio_tempo("default", window, hop, static_cast<uint_t>(rate_hz)));
  if (!tempo) throw Error("aubio_beat_tracker: aubio refused the window, hop or rate");
  aubio_tempo_set_silence(tempo.get(), static_cast<smpl_t>(options.silence_decibels));
  const Vector input(new_fvec(hop)), beat(new_fvec(1));
  const auto samples = waveform.to(at::kCPU, at::kFloat).contiguous();
  const auto* values = samples.const_data_ptr<float>();
  const int64_t count = samples.numel();
  std::vector<double> beats;
  for (int64_t begin = 0; begin < count; begin += options.hop_samples) {
    for (int64_t i = 0; i < options.hop_samples; ++i)
      input->data[i] = begin + i < count ? values[begin + i] : 0;
    aubio_tempo_do(tempo.get(), input.get(), beat.get());
    if (fvec_get_sample(beat.get(), 0) == 0) continue;
    const double seconds = aubio_tempo_get_last_s(tempo.get());
    if (seconds >= 0 && (beats.empty() || seconds > beats.back())) beats.push_back(seconds);
  }
  return beats;
}

}  // namespace

ExternalBeatTracker aubio_beat_tracker(const AubioBeatOptions& options) {
  VMR_CHECK(options.hop_samples >= 1, "AubioBeatOptions: hop_samples = ", options.hop_samples,
            ", but it must be at least 1");
  VMR_CHECK(options.window_samples >= options.hop_samples && options.window_samples <= 65536,
            "AubioBeatOptions: window_samples = ", options.window_samples,
            ", but it must be hop_samples to 65536");
  return [options](const at::Tensor& waveform, double rate_hz) {
    return track(waveform, rate_hz, options);
  };
}

}  // namespace vmr::audio
