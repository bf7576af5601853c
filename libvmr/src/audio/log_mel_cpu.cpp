#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/log_mel_kernels.h"

namespace vmr::audio::detail {
namespace {

// Sample `at` of the signal continued beyond its ends.
template <typename Scalar>
Scalar beyond(const Scalar* signal, int64_t samples, int64_t at, bool reflect) {
  if (!reflect) return 0;
  return signal[at < 0 ? -at : 2 * (samples - 1) - at];
}

// The raw samples of one frame: a pointer into the signal, or into `edge` where it leaves it.
template <typename Scalar>
const Scalar* frame_samples(const Scalar* signal, int64_t begin, const FrameShape& shape,
                            Scalar* edge) {
  if (begin >= 0 && begin + shape.window <= shape.samples) return signal + begin;
  for (int64_t i = 0; i < shape.window; ++i) {
    const int64_t at = begin + i;
    edge[i] = at >= 0 && at < shape.samples ? signal[at]
                                            : beyond(signal, shape.samples, at, shape.reflect);
  }
  return edge;
}

// Sixteen running sums, so that the compiler may use vector registers.
template <typename Scalar>
Scalar mean(const Scalar* values, int64_t count) {
  constexpr int64_t kLanes = 16;
  Scalar lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes)
    for (int64_t lane = 0; lane < kLanes; ++lane) lanes[lane] += values[i + lane];
  Scalar sum = 0;
  for (; i < count; ++i) sum += values[i];
  for (const Scalar lane : lanes) sum += lane;
  return sum / static_cast<Scalar>(count);
}

template <typename Scalar>
void write_frame(const Scalar* __restrict samples, const Scalar* __restrict window,
                 const FrameShape& shape, Scalar* __restrict frame) {
  const Scalar dc = shape.remove_dc ? mean(samples, shape.window) : Scalar(0);
  const auto emphasis = static_cast<Scalar>(shape.preemphasis);
  frame[0] = (samples[0] - dc) * (1 - emphasis) * window[0];
  for (int64_t i = 1; i < shape.window; ++i)
    frame[i] = ((samples[i] - dc) - emphasis * (samples[i - 1] - dc)) * window[i];
  std::fill(frame + shape.window, frame + shape.fft, Scalar(0));
}

}  // namespace

template <typename Scalar>
void frame_cpu(const Scalar* waveform, const Scalar* window, const FrameShape& shape, RowRange rows,
               Scalar* frames) {
  std::vector<Scalar> edge(shape.window);
  for (int64_t i = 0; i < rows.count; ++i) {
    const int64_t row = rows.begin + i;
    const Scalar* signal = waveform + row / shape.frames * shape.samples;
    const int64_t at = shape.first + row % shape.frames * shape.hop;
    write_frame(frame_samples(signal, at, shape, edge.data()), window, shape,
                frames + i * shape.fft);
  }
}

template <typename Scalar>
void mel_cpu(const Scalar* spectrum, const MelTable<Scalar>& table, const MelShape& shape,
             int64_t rows, Scalar* energies) {
  std::vector<Scalar> power(shape.bins);
  for (int64_t row = 0; row < rows; ++row) {
    const Scalar* bin = spectrum + row * shape.bins * 2;
    for (int64_t k = 0; k < shape.bins; ++k)
      power[k] = bin[2 * k] * bin[2 * k] + bin[2 * k + 1] * bin[2 * k + 1];
    if (shape.power == 1)
      for (Scalar& value : power) value = std::sqrt(value);
    for (int64_t m = 0; m < shape.mels; ++m) {
      const Scalar* value = power.data() + table.first[m];
      Scalar sum = 0;
      for (int32_t i = table.offset[m]; i < table.offset[m + 1]; ++i)
        sum += table.weights[i] * *value++;
      const Scalar energy =
          static_cast<Scalar>(shape.gain) * sum + static_cast<Scalar>(shape.offset);
      energies[row * shape.mels + m] = std::max(energy, static_cast<Scalar>(shape.floor));
    }
  }
}

template void frame_cpu(const float*, const float*, const FrameShape&, RowRange, float*);
template void frame_cpu(const double*, const double*, const FrameShape&, RowRange, double*);
template void mel_cpu(const float*, const MelTable<float>&, const MelShape&, int64_t, float*);
template void mel_cpu(const double*, const MelTable<double>&, const MelShape&, int64_t, double*);

}  // namespace vmr::audio::detail
