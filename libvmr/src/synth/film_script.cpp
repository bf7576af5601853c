#include <algorithm>
#include <cmath>

#include "synth/mood_profile.h"
#include "synth/random.h"
#include "vmr/core/error.h"
#include "vmr/synth/film.h"

namespace vmr::synth {
namespace {

constexpr double kShortestShot = 0.45;  // seconds

double clamp01(double value) { return std::clamp(value, 0.0, 1.0); }

void validate(const FilmOptions& options) {
  const auto size = [](const char* field, int value) {
    VMR_CHECK(value >= 64 && value <= 4096 && value % 2 == 0, "film: ", field,
              " must be even and in [64, 4096], got ", value);
  };
  size("width", options.width);
  size("height", options.height);
  VMR_CHECK(options.seconds >= 1 && options.seconds <= 3600,
            "film: seconds must be in [1, 3600], got ", options.seconds);
  VMR_CHECK(options.frames_per_second >= 1 && options.frames_per_second <= 120,
            "film: frames_per_second must be in [1, 120], got ", options.frames_per_second);
  VMR_CHECK(options.difficulty >= 0 && options.difficulty <= 1,
            "film: difficulty must be in [0, 1], got ", options.difficulty);
}

// Nearest of sorted times; `fallback` where there is none.
double nearest(const std::vector<double>& times, double seconds, double fallback) {
  const auto after = std::lower_bound(times.begin(), times.end(), seconds);
  if (times.empty()) return fallback;
  if (after == times.end()) return times.back();
  if (after == times.begin()) return times.front();
  return seconds - *(after - 1) < *after - seconds ? *(after - 1) : *after;
}

class Director {
 public:
  Director(const Observation& seen, const SongTruth& music, const FilmOptions& options)
      : seen_(seen),
        mood_(mood_profile(seen.mood)),
        music_(music),
        random_(options.seed, "film"),
        style_{clamp01(seen.style.energy), clamp01(seen.style.brightness),
               clamp01(seen.style.density), clamp01(seen.style.roughness),
               clamp01(seen.style.warmth)} {
    script_.options = options;
    script_.frames = std::llround(options.seconds * options.frames_per_second);
    tempo_place_ = clamp01(std::log2(seen.tempo_bpm / 60.0) / std::log2(190.0 / 60.0));
    double total = 0.0;
    for (const SectionSpan& section : music.sections) total += section.energy;
    mean_energy_ = music.sections.empty()
                       ? 1.0
                       : std::max(1e-3, total / static_cast<double>(music.sections.size()));
  }

  FilmScript direct() {
    choose_look();
    on_beat_ = random_.chance(cut_agreement(script_.options.difficulty));
    const std::vector<int64_t> cuts = place_cuts();
    for (size_t i = 0; i + 1 < cuts.size(); ++i) add_shot(cuts[i], cuts[i + 1]);
    return std::move(script_);
  }

 private:
  void choose_look() {
    script_.texture = random_.chance(0.5)
                          ? mood_.textures[static_cast<size_t>(random_.below(2))]
                          : static_cast<TextureFamily>(random_.below(kTextureFamilies));
    script_.hue =
        mood_.hue + 0.25 * (style_.warmth - mood_.centre.warmth) + 0.05 * random_.normal();
    script_.hue -= std::floor(script_.hue);
    script_.hue_spread = random_.uniform(-0.15, 0.15);
    script_.saturation = 0.2 + 0.5 * style_.warmth + random_.uniform(0.0, 0.25);
    script_.contrast = 0.2 + 0.65 * style_.roughness;
    script_.softness = clamp01(0.6 * style_.warmth + 0.4 * (1.0 - style_.roughness));
    script_.texture_cycles = std::round(5 + 20 * style_.density * random_.uniform(0.85, 1.15));
  }

  // Energy of the film's moment: what it saw, scaled by how its music's section stands out.
  double energy_at(double seconds) const {
    double level = 1.0;
    for (const SectionSpan& section : music_.sections) {
      if (section.span.contains(seconds)) level = section.energy / mean_energy_;
    }
    const double shown = 1.0 + (level - 1.0) * (1.0 - 0.7 * script_.options.difficulty);
    return clamp01(style_.energy * shown);
  }

  // Beats a shot lasts: a length that suits the energy, rounded to a musical unit.
  double shot_beats(double energy) {
    const double bar = music_.downbeats.size() > 1 && music_.beats.size() > 3 &&
                               music_.downbeats[1] > music_.beats[3] - 1e-9
                           ? 4.0
                           : 3.0;
    const double wanted =
        6.0 * std::exp(-1.8 * energy) * seen_.tempo_bpm / 60.0 * random_.uniform(0.75, 1.3);
    double best = 1.0;
    for (const double beats : {1.0, 2.0, bar, 2 * bar, 4 * bar}) {
      if (std::abs(std::log(beats / wanted)) < std::abs(std::log(best / wanted))) best = beats;
    }
    return best;
  }

  double next_cut(double now) {
    const double period = 60.0 / seen_.tempo_bpm;
    const double length =
        std::max(shot_beats(energy_at(now + 0.1)) * period, kShortestShot + 0.5 * period);
    const double wanted = now + length;
    if (!random_.chance(cut_agreement(script_.options.difficulty))) {
      // As wide as one beat of the music: every place in a beat is equally likely.
      const double beat = nearest(music_.beats, wanted, wanted);
      const auto after = std::upper_bound(music_.beats.begin(), music_.beats.end(), beat + 1e-9);
      const double width = after == music_.beats.end() ? period : *after - beat;
      return wanted + random_.uniform(-0.5, 0.5) * width;
    }
    const double bar = nearest(music_.downbeats, wanted, wanted);
    if (std::abs(bar - wanted) < 0.35 * length && random_.chance(0.7)) return bar;
    return nearest(music_.beats, wanted, wanted);
  }

  // First frames of all shots, and the film's end.
  std::vector<int64_t> place_cuts() {
    const double fps = script_.options.frames_per_second;
    std::vector<int64_t> cuts{0};
    double now = 0.0;
    while (true) {
      const double cut = std::max(next_cut(now), now + kShortestShot);
      const int64_t frame = std::llround(cut * fps);
      if (static_cast<double>(script_.frames - frame) < kShortestShot * fps) break;
      cuts.push_back(frame);
      now = cut;
    }
    cuts.push_back(script_.frames);
    return cuts;
  }

  void add_shot(int64_t begin, int64_t end) {
    const double start = static_cast<double>(begin) / script_.options.frames_per_second;
    const double energy = energy_at(start + 0.1);
    const double lively = clamp01(0.7 * energy + 0.3 * tempo_place_);
    const double speed =
        script_.options.width * (0.012 + 0.2 * std::pow(lively, 1.6)) * random_.uniform(0.8, 1.25);
    Shot shot;
    shot.begin_frame = begin;
    shot.end_frame = end;
    const auto number = static_cast<int>(script_.shots.size());
    shot.tile = number % 2;
    shot.tile_scale = random_.uniform(0.8, 1.5) * 320.0 / script_.options.width;
    shot.angle = random_.uniform(0.0, 6.2831853);
    shot.offset_x = random_.uniform(0.0, 512.0);
    shot.offset_y = random_.uniform(0.0, 512.0);
    const double direction = random_.uniform(0.0, 6.2831853);
    const double pan = speed * random_.uniform(0.5, 1.0);
    shot.pan_x = pan * std::cos(direction);
    shot.pan_y = 0.6 * pan * std::sin(direction);
    shot.zoom = random_.chance(0.5) ? random_.sign() * (0.02 + 0.12 * lively) : 0.0;
    shot.roll = random_.chance(0.3) ? random_.sign() * 0.25 * lively : 0.0;
    shot.shake_pixels = script_.options.width / 320.0 * 2.0 * style_.roughness * energy;
    shot.shake_hertz = random_.uniform(1.5, 3.5);
    // Neighbouring shots differ in light and texture, so that a cut is one to the eye.
    shot.lightness = clamp01(0.14 + 0.7 * style_.brightness +
                             (number % 2 == 0 ? 1 : -1) * random_.uniform(0.045, 0.08));
    shot.inverted = random_.chance(0.5);
    set_pulse(shot, start, energy);
    add_movers(shot, speed);
    script_.shots.push_back(std::move(shot));
  }

  // Motion swells on the beats of what the film dances to: the music, or a beat of its own.
  void set_pulse(Shot& shot, double start, double energy) {
    shot.pulse = 0.2 + 0.5 * energy;
    shot.pulse_hertz = seen_.tempo_bpm / 60.0;
    shot.pulse_seconds = start + random_.uniform(0.0, 60.0 / seen_.tempo_bpm);
    const auto& beats = music_.beats;
    if (!on_beat_ || beats.size() < 2) return;
    const auto after = std::lower_bound(beats.begin(), beats.end() - 1, start);
    shot.pulse_seconds = *after;
    const auto i = static_cast<size_t>(after - beats.begin());
    shot.pulse_hertz =
        1.0 / (i + 1 < beats.size() ? beats[i + 1] - beats[i] : beats[i] - beats[i - 1]);
  }

  void add_movers(Shot& shot, double speed) {
    const double width = script_.options.width, height = script_.options.height;
    const double size = clamp01(mood_.shape_size + 0.08 * random_.normal());
    const int count = 2 + static_cast<int>(std::lround((1.15 - size) * 9.0 * style_.density));
    for (int i = 0; i < count; ++i) {
      Mover mover;
      mover.shape = random_.chance(0.75) ? mood_.shape : random_.below(6);
      mover.radius_pixels = width * (0.03 + 0.11 * size) * random_.uniform(0.75, 1.25);
      mover.x = random_.uniform(0.05, 0.95) * width;
      mover.y = random_.uniform(0.05, 0.95) * height;
      const double direction = random_.uniform(0.0, 6.2831853);
      const double pace = speed * random_.uniform(0.7, 1.5);
      mover.speed_x = pace * std::cos(direction);
      mover.speed_y = pace * std::sin(direction);
      mover.spin = pace / width * random_.uniform(-6.0, 6.0);
      mover.hue = script_.hue + 0.5 * random_.uniform(-0.4, 0.4) + 0.5 * (i % 2);
      const double step = 0.22 + 0.3 * script_.contrast;
      const bool up = shot.lightness < 0.35 || (shot.lightness < 0.65 && random_.chance(0.5));
      mover.lightness = std::clamp(shot.lightness + (up ? step : -step), 0.05, 0.95);
      shot.movers.push_back(mover);
    }
  }

  const Observation& seen_;
  const MoodProfile& mood_;
  const SongTruth& music_;
  Random random_;
  const Style style_;  // what was seen, inside [0, 1]
  FilmScript script_;
  double tempo_place_ = 0.5;  // of the tempo between 60 and 190 BPM, in octaves
  double mean_energy_ = 1.0;
  bool on_beat_ = true;
};

}  // namespace

std::vector<double> FilmScript::cut_seconds() const {
  std::vector<double> cuts;
  for (size_t i = 1; i < shots.size(); ++i) {
    cuts.push_back(static_cast<double>(shots[i].begin_frame) / options.frames_per_second);
  }
  return cuts;
}

FilmScript write_film_script(const Observation& seen, const SongTruth& music,
                             const FilmOptions& options) {
  validate(options);
  VMR_CHECK(seen.mood >= 0 && seen.mood < kMoods && seen.tempo_bpm > 0,
            "write_film_script: the observation's mood or tempo is out of range");
  return Director(seen, music, options).direct();
}

}  // namespace vmr::synth
