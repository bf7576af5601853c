#include "vmr/synth/hidden_state.h"

#include <algorithm>
#include <cmath>

#include "synth/mood_profile.h"
#include "synth/random.h"
#include "vmr/core/error.h"

namespace vmr::synth {
namespace {

constexpr double kStyleSpread = 0.11;  // of a mood's tracks around its centre
constexpr double kLogTwoPi = 1.8378770664093453;

double clamp01(double value) { return std::clamp(value, 0.0, 1.0); }

// Widths of a film's draw around its track.
double style_width(double difficulty) { return 0.01 + 0.4 * difficulty; }
double tempo_width(double difficulty) { return 0.01 + 0.4 * difficulty; }  // octaves
double mood_agreement(double difficulty) { return 1.0 - 0.65 * difficulty; }

double normal_log_density(double value, double mean, double width) {
  const double z = (value - mean) / width;
  return -0.5 * (z * z + kLogTwoPi) - std::log(width);
}

Style style_around(const Style& centre, double width, Random& random) {
  const auto c = centre.values();
  std::array<double, 5> v{};
  for (size_t i = 0; i < v.size(); ++i) v[i] = clamp01(c[i] + width * random.normal());
  return {v[0], v[1], v[2], v[3], v[4]};
}

int mood_of(uint64_t seed, int64_t index) {
  Random random(seed, "mood", index / kMoods);
  std::array<int, kMoods> round{};
  for (int i = 0; i < kMoods; ++i) round[static_cast<size_t>(i)] = i;
  for (int i = kMoods - 1; i > 0; --i) {
    std::swap(round[static_cast<size_t>(i)], round[static_cast<size_t>(random.below(i + 1))]);
  }
  return round[static_cast<size_t>(index % kMoods)];
}

struct Form {
  std::vector<const char*> names;
  std::vector<double> shares;
};

const std::vector<Form> kForms{
    {{"intro", "a", "b", "break", "b", "outro"}, {1, 3, 3, 1.5, 3, 1}},
    {{"intro", "a", "b", "a", "break", "b"}, {1, 2.5, 2.5, 2.5, 1.2, 3}},
    {{"a", "b", "break", "a", "b", "outro"}, {3, 3, 1.2, 2.5, 3, 1}},
    {{"intro", "a", "break", "b", "outro"}, {1.5, 4, 1.5, 4, 1.5}},
};

std::vector<Section> draw_sections(int bars, Random& random) {
  const Form& form = kForms[static_cast<size_t>(random.below(static_cast<int>(kForms.size())))];
  std::vector<double> shares = form.shares;
  double total = 0.0, position = 0.0;
  for (double& share : shares) total += share *= random.uniform(0.8, 1.25);
  std::vector<Section> sections;
  int first = 0;
  for (size_t i = 0; i < shares.size() && first < bars; ++i) {
    position += shares[i] / total * bars;
    const bool last = i + 1 == shares.size();
    const int end = last ? bars : std::min(bars, std::max(first + 1, (int)std::lround(position)));
    const std::string name = form.names[i];
    const double level = name == "intro"   ? 0.55
                         : name == "a"     ? 0.85
                         : name == "b"     ? 1.15
                         : name == "break" ? 0.35
                                           : 0.5;
    sections.push_back({name, first, end - first, level * random.uniform(0.92, 1.08)});
    first = end;
  }
  return sections;
}

void check_difficulty(const char* function, double difficulty) {
  VMR_CHECK(difficulty >= 0.0 && difficulty <= 1.0, function,
            ": difficulty must be in [0, 1], got ", difficulty);
}

}  // namespace

TrackState draw_track(uint64_t seed, int64_t index, double seconds) {
  VMR_CHECK(seconds > 0, "draw_track: seconds must be positive, got ", seconds);
  TrackState state;
  state.mood = mood_of(seed, index);
  const MoodProfile& mood = mood_profile(state.mood);
  Random random(seed, "track", index);
  state.style = style_around(mood.centre, kStyleSpread, random);
  // Within a mood, livelier tracks tend to be faster.
  const double lively = (state.style.energy - mood.centre.energy) / (4 * kStyleSpread) + 0.5;
  const double place = clamp01(0.6 * random.uniform() + 0.4 * lively);
  state.tempo_bpm = mood.tempo_low + (mood.tempo_high - mood.tempo_low) * place;
  state.end_tempo_bpm = state.tempo_bpm;
  if (random.chance(0.08)) {
    state.end_tempo_bpm =
        std::clamp(state.tempo_bpm * (1 + random.sign() * random.uniform(0.08, 0.2)), 60.0, 190.0);
  }
  state.beats_per_bar = random.chance(mood.waltz) ? 3 : 4;
  state.swing = random.chance(mood.swing) ? random.uniform(0.5, 1.0) : 0.0;
  state.drums = !random.chance(mood.drumless);
  state.first_beat_seconds = random.uniform(0.15, 0.9);
  state.seconds = seconds;
  state.seed = random.next();
  state.instruments = random.chance(0.5)
                          ? mood.instruments[static_cast<size_t>(random.below(3))]
                          : static_cast<InstrumentSet>(random.below(kInstrumentSets));
  const double beats =
      (seconds - state.first_beat_seconds) * (state.tempo_bpm + state.end_tempo_bpm) / 120.0;
  const int bars = std::max(1, static_cast<int>(std::ceil(beats / state.beats_per_bar)));
  state.sections = draw_sections(bars, random);
  return state;
}

Observation observe(const TrackState& track, double difficulty, uint64_t seed, int64_t index,
                    int64_t film) {
  check_difficulty("observe", difficulty);
  Random random(seed, "observe", index * 65536 + film);
  Observation seen;
  seen.mood = track.mood;
  if (!random.chance(mood_agreement(difficulty))) {
    seen.mood = (track.mood + 1 + random.below(kMoods - 1)) % kMoods;
  }
  // Not clamped: the likelihood below is exact. The film clamps where it must.
  const auto truth = track.style.values();
  std::array<double, 5> v{};
  for (size_t i = 0; i < v.size(); ++i) v[i] = truth[i] + style_width(difficulty) * random.normal();
  seen.style = {v[0], v[1], v[2], v[3], v[4]};
  const double mean_tempo = 0.5 * (track.tempo_bpm + track.end_tempo_bpm);
  seen.tempo_bpm = mean_tempo * std::exp2(tempo_width(difficulty) * random.normal());
  return seen;
}

double cut_agreement(double difficulty) { return 1.0 - 0.95 * difficulty; }

double log_likelihood(const Observation& seen, const TrackState& track, double difficulty) {
  check_difficulty("log_likelihood", difficulty);
  const double agree = mood_agreement(difficulty);
  // Difficulty 0 never shows another mood; the floor keeps the sum finite.
  double sum =
      std::log(seen.mood == track.mood ? agree : std::max(1e-9, (1.0 - agree) / (kMoods - 1)));
  const auto a = seen.style.values(), b = track.style.values();
  for (size_t i = 0; i < a.size(); ++i) {
    sum += normal_log_density(a[i], b[i], style_width(difficulty));
  }
  const double mean_tempo = 0.5 * (track.tempo_bpm + track.end_tempo_bpm);
  return sum + normal_log_density(std::log2(seen.tempo_bpm), std::log2(mean_tempo),
                                  tempo_width(difficulty));
}

double cut_log_likelihood(const std::vector<double>& cut_seconds,
                          const std::vector<double>& beat_seconds, double frames_per_second,
                          double difficulty) {
  check_difficulty("cut_log_likelihood", difficulty);
  VMR_CHECK(frames_per_second > 0, "cut_log_likelihood: frames_per_second must be positive");
  if (beat_seconds.size() < 2) return 0.0;
  const double agree = std::min(cut_agreement(difficulty), 0.999);
  const double half_width = 0.5 / frames_per_second + 1e-6;
  const double period =
      (beat_seconds.back() - beat_seconds.front()) / static_cast<double>(beat_seconds.size() - 1);
  double sum = 0.0;
  for (const double cut : cut_seconds) {
    const auto after = std::lower_bound(beat_seconds.begin(), beat_seconds.end(), cut);
    double distance = 1e9;
    if (after != beat_seconds.end()) distance = *after - cut;
    if (after != beat_seconds.begin()) distance = std::min(distance, cut - *(after - 1));
    // Relative to a uniform density, so that dense beats are not favoured for being dense.
    const double on_beat = distance <= half_width ? period / (2 * half_width) : 0.0;
    sum += std::log(agree * on_beat + (1.0 - agree));
  }
  return sum;
}

}  // namespace vmr::synth
