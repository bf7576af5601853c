#include "support/corpus/speech.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include "support/corpus/noises.h"
#include "support/corpus/speech_texts.h"

namespace vmr::corpus {
namespace {

namespace fs = std::filesystem;
using synth::Random;

constexpr double kTau = 6.283185307179586;

struct Reading {
  std::string voice;  // of espeak-ng, with a variant
  int words_per_minute = 170;
  int pitch = 50;  // 0 to 99
};

// None where espeak-ng or ffmpeg is missing.
std::optional<Samples> read_aloud(const std::string& text, const Reading& reading,
                                  const fs::path& scratch) {
  const auto words = scratch / "speech.txt", raw = scratch / "speech.wav",
             wav = scratch / "speech_44.wav";
  std::ofstream(words) << text;
  if (!run_program({"espeak-ng", "-v", reading.voice, "-s",
                    std::to_string(reading.words_per_minute), "-p", std::to_string(reading.pitch),
                    "-f", words, "-w", raw}) ||
      !run_program({"ffmpeg", "-y", "-i", raw, "-ar", std::to_string(kRateHz), "-ac", "1", wav}))
    return std::nullopt;
  auto samples = read_wav(wav);
  samples.resize(minute().size());
  return samples;
}

enum Kind { kPlain, kFast, kSlow, kOtherVoices, kTurns, kCrowd, kWords, kCounting, kOverNoise };

constexpr std::array<const char*, 9> kNames{"plain", "fast",  "slow",     "other_voices", "turns",
                                            "crowd", "words", "counting", "over_noise"};

std::string prose(const Language& language, Random& random) {
  std::string text;
  for (int i = 0; i < 90; ++i) text += std::string(language.sentences[random.below(6)]) + "\n";
  return text;
}

// The words of the sentences in any order, with a comma behind each: a list is read evenly.
std::string word_list(const Language& language, Random& random) {
  std::vector<std::string> words;
  for (const char* sentence : language.sentences) {
    std::istringstream in(sentence);
    for (std::string word; in >> word;) {
      while (!word.empty() && std::string_view(".,!?:;").find(word.back()) != std::string::npos)
        word.pop_back();
      if (!word.empty()) words.push_back(word);
    }
  }
  std::string text;
  for (int i = 0; i < 200; ++i) text += words[size_t(random.below(int(words.size())))] + ", ";
  return text;
}

std::string numbers() {
  std::string text;
  for (int i = 1; i <= 200; ++i) text += std::to_string(i) + ", ";
  return text;
}

Reading reader(const Language& language, int kind, Random& random) {
  constexpr std::array kUsual{"", "+m1", "+m3", "+m5", "+m7", "+f1", "+f2", "+f3", "+f4"};
  constexpr std::array kOther{"+klatt", "+klatt3", "+croak", "+whisper", "+whisperf"};
  const char* variant = kind == kOtherVoices ? kOther[size_t(random.below(kOther.size()))]
                                             : kUsual[size_t(random.below(kUsual.size()))];
  const int speed = kind == kFast   ? 250 + random.below(80)
                    : kind == kSlow ? 90 + random.below(30)
                                    : 130 + random.below(80);
  return {language.voice + std::string(variant), speed, 20 + random.below(61)};
}

// One speaks for some seconds, then the other, with a breath between.
Samples in_turns(const Samples& one, const Samples& other, Random& random) {
  auto out = minute();
  const auto length = [&](double least, double most) {
    return size_t(random.uniform(least, most) * kRateHz);
  };
  bool first = true;
  for (size_t at = 0; at < out.size(); first = !first) {
    const size_t end = std::min(out.size(), at + length(1.5, 6));
    const auto& voice = first ? one : other;
    std::copy(voice.begin() + long(at), voice.begin() + long(end), out.begin() + long(at));
    at = end + length(0.2, 1);
  }
  return out;
}

std::optional<Samples> read_kind(int kind, int turn, Random& random, const fs::path& scratch) {
  const auto& language = kLanguages[size_t(turn) % kLanguages.size()];
  const std::string text = kind == kWords      ? word_list(language, random)
                           : kind == kCounting ? numbers()
                                               : prose(language, random);
  auto samples = read_aloud(text, reader(language, kind, random), scratch);
  if (!samples) return samples;
  for (int voice = 1; voice < (kind == kCrowd ? 5 : kind == kTurns ? 2 : 1); ++voice) {
    const auto more = read_aloud(prose(language, random), reader(language, kind, random), scratch);
    if (!more) return more;
    if (kind == kTurns) {
      samples = in_turns(*samples, *more, random);
    } else {
      const double gain = random.uniform(0.5, 1);
      for (size_t i = 0; i < samples->size(); ++i) (*samples)[i] += float(gain) * (*more)[i];
    }
  }
  if (kind == kOverNoise) {
    scale_to_peak(*samples, -10);
    add_noise(*samples, random.uniform(0, 15), random.next());
  }
  return samples;
}

}  // namespace

std::span<const char* const> speech_kinds() { return kNames; }

Speech speech_of(int kind, int turn, Random& random, const fs::path& scratch) {
  if (auto samples = read_kind(kind, turn, random, scratch))
    return {std::move(*samples), {"espeak", kLanguages[size_t(turn) % kLanguages.size()].voice}};
  return {babble(random), {"babble"}};
}

Speech english(int voice, Random& random, const fs::path& scratch) {
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
  constexpr std::array kVoices{"en-gb", "en-us", "en-gb+f3"};
  const int speed = 130 + random.below(60);
  if (auto samples = read_aloud(text, {kVoices[size_t(voice % 3)], speed}, scratch))
    return {std::move(*samples), {"espeak"}};
  return {babble(random), {"babble"}};
}

// A pulse train through three resonances which glide from vowel to vowel, hisses between.
Samples babble(Random& random) {
  auto out = minute();
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

}  // namespace vmr::corpus
