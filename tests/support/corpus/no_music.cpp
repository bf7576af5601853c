#include "support/corpus/no_music.h"

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "support/corpus/noises.h"
#include "support/corpus/speech.h"

namespace vmr::corpus {
namespace {

namespace fs = std::filesystem;
using synth::Random;

constexpr std::array kMixed{"speech_a",    "pink_noise", "silence",     "speech_b", "wind",
                            "white_noise", "speech_c",   "brown_noise", "hum",      "near_silence"};

struct Sound {
  std::string kind;
  Speech content;  // speech or not
};

double loud_level(Random& random) { return -random.uniform(1, 12); }

Sound mixed(uint64_t seed, int index, const fs::path& scratch) {
  const std::string kind = kMixed[size_t(index) % kMixed.size()];
  Random random(seed, kind, index);
  Sound sound{kind, {}};
  auto& [samples, tags] = sound.content;
  if (kind.starts_with("speech")) {
    if (index / int(kMixed.size()) % 2 == 1) {
      sound.content = {babble(random), {"babble"}};
    } else {
      sound.content = english(kind.back() - 'a', random, scratch);
    }
    tags.insert("speech");
  } else if (kind == "pink_noise") {
    samples = Samples(minute().size(), 1e-3f);
    add_noise(samples, -60, random.next());
  } else if (kind == "wind") {
    samples = wind(random);
  } else if (kind == "hum") {
    samples = hum(random);
  } else if (kind == "silence") {
    samples = minute();
  } else if (kind == "near_silence") {
    samples = low_passed_noise(4000, random);
  } else {
    samples = low_passed_noise(kind == "white_noise" ? 22000 : 80, random);
  }
  if (kind != "silence") scale_to_peak(samples, kind == "near_silence" ? -80 : loud_level(random));
  return sound;
}

Sound noise(uint64_t seed, int index) {
  const auto& kind = noise_kinds()[size_t(index) % noise_kinds().size()];
  Random random(seed, kind.name, index);
  Sound sound{kind.name, {kind.make(random), {"noise"}}};
  scale_to_peak(sound.content.samples, loud_level(random));
  return sound;
}

Sound silence(uint64_t seed, int index) {
  const auto& kind = silence_kinds()[size_t(index) % silence_kinds().size()];
  Random random(seed, kind.name, index);
  return {kind.name, {kind.make(random), {"silence"}}};
}

Sound speech(uint64_t seed, int index, const fs::path& scratch) {
  const int kinds = int(speech_kinds().size()), kind = index % kinds;
  const std::string name = speech_kinds()[size_t(kind)];
  Random random(seed, name, index);
  Sound sound{name, speech_of(kind, index + index / kinds, random, scratch)};
  sound.content.tags.insert("speech");
  scale_to_peak(sound.content.samples, loud_level(random));
  return sound;
}

Sound sound_of(NoMusic set, uint64_t seed, int index, const fs::path& scratch) {
  switch (set) {
    case NoMusic::noise:
      return noise(seed, index);
    case NoMusic::silence:
      return silence(seed, index);
    case NoMusic::speech:
      return speech(seed, index, scratch);
    case NoMusic::mixed:
      break;
  }
  return mixed(seed, index, scratch);
}

}  // namespace

int write_no_music(const fs::path& folder, NoMusic set, uint64_t seed, int pieces) {
  const auto scratch = folder / ".scratch";
  fs::create_directories(scratch);
  for (int i = 0; i < pieces; ++i) {
    auto [kind, sound] = sound_of(set, seed, i, scratch);
    sound.tags.insert({"no_music", kind});
    const std::string name = (i < 10 ? "none_0" : "none_") + std::to_string(i) + "_" + kind;
    write_wav(folder / (name + ".wav"), sound.samples);
    std::ofstream(folder / (name + ".json"))
        << nlohmann::ordered_json{{"seconds", kNoMusicSeconds},
                                  {"kind", kind},
                                  {"tags", sound.tags},
                                  {"down_beats", nlohmann::json::array()},
                                  {"beats", nlohmann::json::array()}}
               .dump(1)
        << "\n";
  }
  fs::remove_all(scratch);
  return pieces;
}

}  // namespace vmr::corpus
