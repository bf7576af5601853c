#include "support/corpus/midi_file.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

namespace vmr::corpus {
namespace {

namespace fs = std::filesystem;

constexpr int kTicks = 9600;  // a beat: 0.1 ms at 60 beats/min
constexpr int kDrumChannel = 9;

struct Event {
  int64_t tick = 0;
  int order = 0;  // at one tick: tempo and programs, note ends, note starts
  std::string bytes;
};

std::string bytes_of(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) bytes += char(value);
  return bytes;
}

std::string variable_length(int64_t value) {
  std::string bytes(1, char(value & 0x7f));
  while (value >>= 7) bytes.insert(bytes.begin(), char(0x80 | (value & 0x7f)));
  return bytes;
}

std::string big_endian(uint32_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes += char(value >> (8 * i) & 0xff);
  return bytes;
}

// Edges of the beats, with the stretch before the first and after the last as beats too.
std::vector<double> beat_edges(const Piece& piece) {
  std::vector<double> edges{0};
  for (const double beat : piece.beats)
    if (beat > edges.back() + 1e-3) edges.push_back(beat);
  edges.push_back(std::max(piece.seconds, edges.back() + 0.1) + 5);
  return edges;
}

int64_t tick_of(const std::vector<double>& edges, double seconds) {
  auto next = std::upper_bound(edges.begin() + 1, edges.end() - 1, seconds);
  const double length = *next - *(next - 1);
  return std::llround((double(next - 1 - edges.begin()) + (seconds - *(next - 1)) / length) *
                      kTicks);
}

std::vector<Event> events_of(const Piece& piece) {
  const auto edges = beat_edges(piece);
  std::vector<Event> events;
  for (size_t i = 0; i + 1 < edges.size(); ++i) {
    const auto micros = uint32_t(std::lround((edges[i + 1] - edges[i]) * 1e6));
    events.push_back({int64_t(i) * kTicks, 0, bytes_of({0xff, 0x51, 3}) + big_endian(micros, 3)});
  }
  std::map<int, int> channels;
  for (const Note& note : piece.notes) {
    int channel = kDrumChannel;
    if (note.program != kDrums) {
      const auto [place, fresh] = channels.try_emplace(note.program, int(channels.size()));
      channel = place->second + (place->second >= kDrumChannel);
      if (channel > 15) throw std::runtime_error("write_midi: more than 15 programs");
      if (fresh) events.push_back({0, 0, bytes_of({0xc0 | channel, note.program})});
    }
    const int velocity = std::clamp(int(std::lround(note.velocity * 127)), 1, 127);
    const auto start = tick_of(edges, note.start_seconds);
    const auto end = std::max(tick_of(edges, note.start_seconds + note.length_seconds), start + 1);
    events.push_back({start, 2, bytes_of({0x90 | channel, note.pitch, velocity})});
    events.push_back({end, 1, bytes_of({0x80 | channel, note.pitch, 64})});
  }
  std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) {
    return a.tick != b.tick ? a.tick < b.tick : a.order < b.order;
  });
  return events;
}

}  // namespace

void write_midi(const fs::path& path, const Piece& piece) {
  std::string track;
  int64_t now = 0;
  for (const Event& event : events_of(piece)) {
    track += variable_length(event.tick - now) + event.bytes;
    now = event.tick;
  }
  track += bytes_of({0, 0xff, 0x2f, 0});
  std::ofstream out(path, std::ios::binary);
  out << "MThd" << big_endian(6, 4) << big_endian(0, 2) << big_endian(1, 2)
      << big_endian(kTicks, 2);
  out << "MTrk" << big_endian(uint32_t(track.size()), 4) << track;
  if (!out) throw std::runtime_error("write_midi: cannot write " + path.string());
}

std::optional<fs::path> find_sound_font() {
  if (!run_program({"fluidsynth", "--version"})) return std::nullopt;
  if (const char* named = std::getenv("VMR_SOUND_FONT")) return fs::path(named);
  for (const char* name : {"TimGM6mb.sf2", "FluidR3_GM.sf2", "default-GM.sf2"}) {
    const auto path = fs::path("/usr/share/sounds/sf2") / name;
    if (fs::exists(path)) return path;
  }
  return std::nullopt;
}

namespace {

Samples run_fluidsynth(const Piece& piece, const fs::path& sound_font, const fs::path& scratch) {
  const auto midi = scratch / "piece.mid", wav = scratch / "piece.wav";
  write_midi(midi, piece);
  if (!run_program({"fluidsynth", "-ni", "-q", "-g", "0.35", "-r", std::to_string(kRateHz), "-O",
                    "s16", "-T", "wav", "-F", wav, sound_font, midi}))
    throw std::runtime_error("fluidsynth failed on " + piece.name);
  auto samples = read_wav(wav);
  samples.resize(size_t(piece.seconds * kRateHz));
  return samples;
}

// Seconds until a sound reaches 30 % of the loudest of its first half second.
double rise_seconds(const Samples& samples, double from_seconds) {
  constexpr size_t kHop = 88;  // 2 ms
  const auto from = size_t(from_seconds * kRateHz);
  std::vector<double> power;
  for (size_t at = from; at + 4 * kHop < from + kRateHz / 2; at += kHop) {
    power.push_back(0);
    for (size_t i = at; i < at + 4 * kHop; ++i) power.back() += double(samples[i]) * samples[i];
  }
  const double enough = 0.09 * *std::max_element(power.begin(), power.end());
  const auto first =
      std::find_if(power.begin(), power.end(), [&](double p) { return p >= enough; });
  return double(first - power.begin()) * kHop / kRateHz;
}

// How early the players begin, so that slow sounds too are heard on the beat: measured from one
// note an octave of each program.
std::map<int, std::vector<double>> measure_rise(const Piece& piece, const fs::path& sound_font,
                                                const fs::path& scratch) {
  std::map<int, std::vector<double>> rise;
  for (const Note& note : piece.notes)
    if (note.program != kDrums) rise[note.program];
  Piece probe;
  probe.name = "the probe of the sound font";
  probe.beats = {0.5};
  double now = 1;
  for (const auto& [program, octaves] : rise)
    for (int octave = 0; octave < 6; ++octave, now += 1.5)
      probe.notes.push_back({program, now, 0.6, 30 + 12 * octave, 0.75});
  probe.seconds = now + 1;
  const auto samples = run_fluidsynth(probe, sound_font, scratch);
  now = 1;
  for (auto& [program, octaves] : rise)
    for (int octave = 0; octave < 6; ++octave, now += 1.5)
      octaves.push_back(std::min(rise_seconds(samples, now), 0.08));
  return rise;
}

}  // namespace

Samples play_midi(const Piece& piece, const fs::path& sound_font, const fs::path& scratch) {
  const auto rise = measure_rise(piece, sound_font, scratch);
  Piece played = piece;
  for (Note& note : played.notes) {
    if (note.program == kDrums) continue;
    const auto octave = size_t(std::clamp((note.pitch - 24) / 12, 0, 5));
    note.start_seconds = std::max(note.start_seconds - rise.at(note.program)[octave], 0.0);
  }
  return run_fluidsynth(played, sound_font, scratch);
}

}  // namespace vmr::corpus
