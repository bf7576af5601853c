#include "support/corpus/no_music.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "support/corpus/sound.h"
#include "synth/random.h"

namespace vmr::corpus {
namespace {

namespace fs = std::filesystem;
using synth::Random;

constexpr double kTau = 6.283185307179586;
constexpr std::array kKinds{"speech_a",    "pink_noise", "silence",     "speech_b", "wind",
                            "white_noise", "speech_c",   "brown_noise", "hum",      "near_silence"};

Samples empty() { return Samples(size_t(kNoMusicSeconds * kRateHz)); }

Samples noise_of(double low_pass_hertz, Random& random) {
  auto out = empty();
  synth::Noise noise(random.next());
  const double pole = 1 - std::exp(-kTau * low_pass_hertz / kRateHz);
  double low = 0;
  for (float& sample : out) sample = float(low += pole * (noise.next() - low));
  return out;
}

// Noise whose colour and strength wander without a period.
Samples wind(Random& random) {
  auto out = empty();
  synth::Noise noise(random.next());
  double low = 0, colour = 0, strength = 0, colour_aim = 0, strength_aim = 0;
  for (float& sample : out) {
    if (random.chance(0.8 / kRateHz)) colour_aim = random.normal();
    if (random.chance(0.5 / kRateHz)) strength_aim = random.normal();
    colour += (colour_aim - colour) * 1.5 / kRateHz;
    strength += (strength_aim - strength) * 1.2 / kRateHz;
    const double pole = 1 - std::exp(-kTau * 500 * std::exp(0.7 * colour) / kRateHz);
    low += pole * (noise.next() - low);
    sample = float(low * std::exp(0.6 * strength));
  }
  return out;
}

Samples hum(Random& random) {
  auto out = empty();
  synth::Noise noise(random.next());
  const double hertz = random.uniform(48, 62);
  for (size_t i = 0; i < out.size(); ++i) {
    double sum = 0.02 * noise.next();
    for (int k = 1; k <= 7; ++k)
      sum += std::sin(kTau * k * hertz * double(i) / kRateHz + k) / (k + 1);
    out[i] = float(sum);
  }
  return out;
}

// Syllables of 90 to 300 ms without a metre: a pulse train through three resonances which glide
// from vowel to vowel, hisses between, pauses of a sentence.
Samples babble(Random& random) {
  auto out = empty();
  synth::Noise noise(random.next());
  const double voice = random.uniform(90, 210);
  std::array<double, 3> now{500, 1500, 2500}, aim = now;
  std::array<std::array<double, 2>, 3> memory{};
  double phase = 0, loud = 0, loud_aim = 0, hiss = 0, tune = 1;
  size_t next = 0;
  for (size_t i = 0; i < out.size(); ++i) {
    if (i == next) {
      const int kind = random.pick({0.62, 0.25, 0.13});  // vowel, consonant, pause
      const double seconds = kind == 0   ? random.uniform(0.09, 0.3)
                             : kind == 1 ? random.uniform(0.04, 0.12)
                                         : random.uniform(0.1, 0.9);
      next = i + size_t(seconds * kRateHz);
      loud_aim = kind == 0 ? random.uniform(0.5, 1) : 0;
      hiss = kind == 1 ? random.uniform(0.02, 0.15) : 0;
      aim = {random.uniform(280, 800), random.uniform(800, 2200), random.uniform(2300, 3000)};
      tune = random.uniform(0.85, 1.2);
    }
    loud += (loud_aim - loud) * 60 / kRateHz;
    phase += voice * tune / kRateHz;
    double source = hiss * noise.next();
    if (phase >= 1) phase -= 1, source += loud;
    double sum = 0;
    for (size_t k = 0; k < 3; ++k) {
      now[k] += (aim[k] - now[k]) * 25 / kRateHz;
      const double radius = 0.992;
      const double out_now = source +
                             2 * radius * std::cos(kTau * now[k] / kRateHz) * memory[k][0] -
                             radius * radius * memory[k][1];
      memory[k] = {out_now, memory[k][0]};
      sum += out_now / double(k + 1);
    }
    out[i] = float(sum);
  }
  return out;
}

// Sentences put together at random, read by espeak-ng; babble where it is not installed.
Samples speech(Random& random, int turn, const fs::path& scratch, bool& spoken) {
  constexpr std::array kWho{"The engineer",        "My neighbour",         "A tired traveller",
                            "The committee",       "Her youngest brother", "Nobody",
                            "The weather service", "This letter"};
  constexpr std::array kDid{
      "explained",      "had quietly forgotten",     "will examine", "never mentioned",
      "is looking for", "described at great length", "refused",      "painted"};
  constexpr std::array kWhat{"the old bridge",
                             "a question about money",
                             "seventeen boxes of paper",
                             "what happened on Tuesday",
                             "the colour of the harbour",
                             "an unusually long report",
                             "the way to the station",
                             "it"};
  constexpr std::array kWhen{".",
                             ", before the rain began.",
                             "; in the end it hardly mattered.",
                             ", which surprised everyone.",
                             "?",
                             " again and again."};
  std::string text;
  for (int i = 0; i < 60; ++i) {
    text += std::string(kWho[size_t(random.below(8))]) + " " + kDid[size_t(random.below(8))] + " " +
            kWhat[size_t(random.below(8))] + kWhen[size_t(random.below(6))] + "\n";
  }
  const auto words = scratch / "speech.txt", raw = scratch / "speech.wav",
             wav = scratch / "speech_44.wav";
  std::ofstream(words) << text;
  constexpr std::array kVoices{"en-gb", "en-us", "en-gb+f3"};
  const std::string speed = std::to_string(130 + random.below(60));
  spoken =
      run_program(
          {"espeak-ng", "-v", kVoices[size_t(turn % 3)], "-s", speed, "-f", words, "-w", raw}) &&
      run_program({"ffmpeg", "-y", "-i", raw, "-ar", std::to_string(kRateHz), "-ac", "1", wav});
  if (!spoken) return babble(random);
  auto samples = read_wav(wav);
  samples.resize(empty().size());
  return samples;
}

}  // namespace

int write_no_music(const fs::path& folder, uint64_t seed, int pieces) {
  const auto scratch = folder / ".scratch";
  fs::create_directories(scratch);
  for (int i = 0; i < pieces; ++i) {
    const std::string kind = kKinds[size_t(i) % kKinds.size()];
    Random random(seed, kind, i);
    std::set<std::string> tags{"no_music", kind};
    bool spoken = false;
    Samples samples;
    if (kind.starts_with("speech")) {
      samples = i / int(kKinds.size()) % 2 == 1
                    ? babble(random)
                    : speech(random, kind.back() - 'a', scratch, spoken);
      tags.insert({"speech", spoken ? "espeak" : "babble"});
    } else if (kind == "pink_noise") {
      samples = Samples(empty().size(), 1e-3f);
      add_noise(samples, -60, random.next());
    } else if (kind == "wind") {
      samples = wind(random);
    } else if (kind == "hum") {
      samples = hum(random);
    } else {
      samples = kind.ends_with("silence") ? empty()
                                          : noise_of(kind == "white_noise" ? 22000 : 80, random);
    }
    if (kind == "near_silence") {
      samples = noise_of(4000, random);
      scale_to_peak(samples, -80);
    } else if (kind != "silence") {
      scale_to_peak(samples, -random.uniform(1, 12));
    }
    const std::string name = (i < 10 ? "none_0" : "none_") + std::to_string(i) + "_" + kind;
    write_wav(folder / (name + ".wav"), samples);
    std::ofstream(folder / (name + ".json"))
        << nlohmann::ordered_json{{"seconds", kNoMusicSeconds},
                                  {"tags", tags},
                                  {"down_beats", nlohmann::json::array()},
                                  {"beats", nlohmann::json::array()}}
               .dump(1)
        << "\n";
  }
  fs::remove_all(scratch);
  return pieces;
}

}  // namespace vmr::corpus
