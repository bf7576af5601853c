#include "synth/score.h"

#include <algorithm>
#include <cmath>

#include "synth/mood_profile.h"
#include "synth/random.h"
#include "vmr/core/error.h"

namespace vmr::synth {
namespace {

constexpr double kSpareSeconds = 8.0;  // of grid past the end

std::vector<Section> sections_of(const TrackState& state) {
  if (!state.sections.empty()) return state.sections;
  return {{"a", 0, 1 << 20, 1.0}};
}

}  // namespace

void validate(const TrackState& state) {
  const auto in = [](const char* field, double value, double low, double high) {
    VMR_CHECK(value >= low && value <= high, "song: ", field, " must be in [", low, ", ", high,
              "], got ", value);
  };
  in("mood", state.mood, 0, kMoods - 1);
  in("tempo_bpm", state.tempo_bpm, 30, 300);
  in("end_tempo_bpm", state.end_tempo_bpm, 30, 300);
  in("beats_per_bar", state.beats_per_bar, 2, 7);
  in("swing", state.swing, 0, 1);
  in("seconds", state.seconds, 1, 3600);
  in("first_beat_seconds", state.first_beat_seconds, 0, state.seconds);
  for (const double value : state.style.values()) in("style", value, 0, 1);
  int bar = 0;
  for (const Section& section : state.sections) {
    VMR_CHECK(section.first_bar == bar && section.bars > 0,
              "song: sections must follow each other from bar 0, got \"", section.name,
              "\" at bar ", section.first_bar, " with ", section.bars, " bars where bar ", bar,
              " was due");
    in("section level", section.level, 0, 4);
    bar += section.bars;
  }
}

BeatGrid::BeatGrid(const TrackState& state) : eighth_(0.5 + state.swing / 6.0) {
  const double slope = (state.end_tempo_bpm - state.tempo_bpm) / state.seconds;
  double time = state.first_beat_seconds;
  while (time < state.seconds + kSpareSeconds) {
    times_.push_back(time);
    if (time < state.seconds) ++beats_;
    time += 60.0 / (state.tempo_bpm + slope * std::min(time, state.seconds));
  }
  times_.push_back(time);
}

double BeatGrid::seconds(double position) const {
  const auto last = static_cast<double>(times_.size() - 2);
  const double beat = std::clamp(std::floor(position), 0.0, last);
  const double part = position - beat;
  const double swung =
      part <= 0.5 ? part * 2 * eighth_ : eighth_ + (part - 0.5) * 2 * (1.0 - eighth_);
  const auto i = static_cast<size_t>(beat);
  return times_[i] + swung * (times_[i + 1] - times_[i]);
}

SongTruth plan_song(const TrackState& state) {
  validate(state);
  const BeatGrid grid(state);
  SongTruth truth;
  for (int beat = 0; beat < grid.beats(); ++beat) {
    const double time = grid.seconds(beat);
    truth.beats.push_back(time);
    if (beat % state.beats_per_bar == 0) truth.downbeats.push_back(time);
    truth.tempo.push_back({time, 60.0 / (grid.seconds(beat + 1) - time)});
  }
  for (const Section& section : sections_of(state)) {
    const int first = section.first_bar * state.beats_per_bar;
    if (first >= grid.beats()) break;
    const int64_t end = int64_t{section.first_bar + section.bars} * state.beats_per_bar;
    const double end_seconds =
        end < grid.beats() ? grid.seconds(static_cast<double>(end)) : state.seconds;
    truth.sections.push_back({section.name,
                              {grid.seconds(first), end_seconds},
                              std::min(1.0, state.style.energy * section.level)});
  }
  if (!truth.sections.empty()) truth.sections.back().span.end_seconds = state.seconds;
  return truth;
}

std::vector<Bar> plan_bars(const TrackState& state, const BeatGrid& grid) {
  const std::vector<Section> sections = sections_of(state);
  const auto& loops = mood_profile(state.mood).loops;
  Random random(state.seed, "progression");
  const auto& verse = loops[static_cast<size_t>(random.below(static_cast<int>(loops.size())))];
  const auto& chorus = loops[static_cast<size_t>(random.below(static_cast<int>(loops.size())))];
  const int count = (grid.beats() + state.beats_per_bar - 1) / state.beats_per_bar;
  std::vector<Bar> bars;
  size_t section = 0;
  for (int number = 0; number < count; ++number) {
    while (section + 1 < sections.size() &&
           number >= sections[section].first_bar + sections[section].bars) {
      ++section;
    }
    const Section& now = sections[section];
    Bar bar{.number = number, .first_beat = number * state.beats_per_bar};
    const auto step = static_cast<size_t>(number - now.first_bar) % 4;
    bar.chord_degree = now.name == "b" ? chorus[step] : verse[step];
    bar.energy = std::clamp(state.style.energy * now.level, 0.0, 1.0);
    bar.last_of_section = number + 1 == now.first_bar + now.bars;
    bar.section = static_cast<int>(section);
    bar.section_name = now.name == "intro"   ? "intro"
                       : now.name == "b"     ? "b"
                       : now.name == "break" ? "break"
                       : now.name == "outro" ? "outro"
                                             : "a";
    bars.push_back(bar);
  }
  return bars;
}

Score compose(const TrackState& state, const BeatGrid& grid) {
  const std::vector<Bar> bars = plan_bars(state, grid);
  Score score;
  if (state.drums) write_drums(state, grid, bars, score);
  write_harmony(state, grid, bars, score);
  std::erase_if(score.notes, [&](const Note& note) { return note.start_seconds >= state.seconds; });
  std::erase_if(score.hits, [&](const Hit& hit) { return hit.start_seconds >= state.seconds; });
  return score;
}

}  // namespace vmr::synth
