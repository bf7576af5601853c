#include "support/corpus/beat_clock.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace vmr::corpus {

BeatClock::BeatClock(const TempoShape& shape, double first_seconds, int beats, synth::Random random)
    : swing_(shape.swing) {
  double now = first_seconds, walk = 0;
  for (int beat = 0; beat < beats; ++beat) {
    const double along = double(beat) / std::max(beats - 1, 1);
    double bpm = shape.bpm * std::pow(shape.ramp, along);
    if (shape.step_beat > 0 && beat >= shape.step_beat) bpm *= shape.step;
    // Faster in the middle of a phrase, slower at its ends.
    const double phase = (beat % shape.phrase_beats + 0.5) / shape.phrase_beats;
    bpm *= 1 - shape.rubato * std::cos(6.283185307179586 * phase);
    walk =
        0.9 * walk + 0.436 * shape.drift * random.normal();  // deviation 1 x drift in the long run
    bpm *= 1 + walk;
    const int left = beats - beat;
    if (left <= 4) bpm *= 1 - shape.ritardando * (5 - left) / 4;
    const double length = 60 / bpm;
    times_.push_back(now);
    lengths_.push_back(length);
    now += length;
    if (std::count(shape.pause_beats.begin(), shape.pause_beats.end(), beat) > 0)
      now += shape.pause_seconds;
  }
  times_.push_back(now);
}

double BeatClock::seconds(double position) const {
  const double beat = std::floor(position + 1e-9);
  const double place = position - beat;
  const double swung =
      place < 0.5 ? place * swing_ / 0.5 : swing_ + (place - 0.5) * (1 - swing_) / 0.5;
  const auto index = static_cast<size_t>(beat);
  if (index >= lengths_.size())
    return times_.back() + (beat - double(lengths_.size()) + swung) * lengths_.back();
  return times_[index] + swung * lengths_[index];
}

double BeatClock::mean_bpm() const {
  return 60 * double(lengths_.size()) / std::accumulate(lengths_.begin(), lengths_.end(), 0.0);
}

}  // namespace vmr::corpus
