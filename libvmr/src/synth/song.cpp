#include "vmr/synth/song.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "synth/mastering.h"
#include "synth/random.h"
#include "synth/score.h"
#include "synth/voices.h"

namespace vmr::synth {
namespace {

// The mixing desk: a stereo mix and what goes to the room.
struct Desk {
  explicit Desk(size_t samples)
      : mix{std::vector<float>(samples), std::vector<float>(samples)}, send(samples) {}

  void add(const std::vector<float>& sound, double start_seconds, float gain, float pan,
           float room) {
    const auto start = static_cast<size_t>(std::lround(start_seconds * kSongRateHz));
    if (start >= send.size()) return;
    const size_t count = std::min(sound.size(), send.size() - start);
    const float angle = 0.25f * 3.14159265f * (1.0f + pan);
    const float left = gain * std::cos(angle), right = gain * std::sin(angle), wet = gain * room;
    float* l = mix.left.data() + start;
    float* r = mix.right.data() + start;
    float* s = send.data() + start;
    const float* in = sound.data();
    for (size_t i = 0; i < count; ++i) l[i] += left * in[i];
    for (size_t i = 0; i < count; ++i) r[i] += right * in[i];
    for (size_t i = 0; i < count; ++i) s[i] += wet * in[i];
  }

  Stereo mix;
  std::vector<float> send;
};

void mix_drums(const Score& score, const TrackState& state, const Tone& tone, Desk& desk) {
  constexpr std::array<float, kDrums> levels{0.95f, 0.6f, 0.32f, 0.22f, 0.3f, 0.55f};
  constexpr std::array<float, kDrums> pans{0, 0.05f, 0.25f, 0.25f, -0.3f, -0.05f};
  const DrumKit kit = make_drum_kit(tone, state.seed);
  const auto gain = static_cast<float>(0.35 + 0.45 * state.style.energy);
  for (const Hit& hit : score.hits) {
    const auto drum = static_cast<size_t>(hit.drum);
    const float room = hit.drum == Drum::kick ? 0.02f : 0.12f;
    desk.add(kit[drum], hit.start_seconds, gain * levels[drum] * hit.velocity, pans[drum], room);
  }
}

void mix_notes(const Score& score, const TrackState& state, const Tone& tone, Desk& desk) {
  std::vector<float> sound;
  const auto count = static_cast<int64_t>(score.notes.size());
  for (int64_t i = 0; i < count; ++i) {
    const Note& note = score.notes[static_cast<size_t>(i)];
    Random random(state.seed, "note", i);
    render_note(note, tone, random.next(), sound);
    const bool bass = note.voice == Voice::saw_bass || note.voice == Voice::sub_bass ||
                      note.voice == Voice::plucked_bass;
    desk.add(sound, note.start_seconds, bass ? 0.38f : 0.25f, note.pan, bass ? 0.02f : 0.35f);
  }
}

// The last second fades, as a cut from a longer piece would.
void fade_out(Stereo& mix) {
  const auto tail = std::min<size_t>(kSongRateHz / 2, mix.left.size());
  for (auto* side : {&mix.left, &mix.right}) {
    for (size_t i = 0; i < tail; ++i) {
      (*side)[side->size() - 1 - i] *= static_cast<float>(i) / static_cast<float>(tail);
    }
  }
}

}  // namespace

Song render_song(const TrackState& state) {
  Song song;
  song.truth = plan_song(state);
  const Score score = compose(state, BeatGrid(state));
  const Style& style = state.style;
  const Tone tone{static_cast<float>(style.brightness), static_cast<float>(style.roughness),
                  static_cast<float>(style.warmth)};
  const auto samples = static_cast<size_t>(std::lround(state.seconds * kSongRateHz));
  Desk desk(samples);
  mix_notes(score, state, tone, desk);
  mix_drums(score, state, tone, desk);
  add_room(desk.mix, desk.send, 0.3 + 0.7 * style.warmth, 0.08 + 0.3 * (1.0 - style.roughness));
  saturate(desk.mix, 0.8 + 2.2 * style.roughness * style.roughness);
  set_loudness(desk.mix, -18.0 + 4.0 * style.energy);
  fade_out(desk.mix);
  song.loudness_lufs = loudness_lufs(desk.mix);
  song.samples = at::empty({2, static_cast<int64_t>(samples)});
  float* out = song.samples.data_ptr<float>();
  std::copy(desk.mix.left.begin(), desk.mix.left.end(), out);
  std::copy(desk.mix.right.begin(), desk.mix.right.end(), out + samples);
  return song;
}

}  // namespace vmr::synth
