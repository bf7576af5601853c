// Signals that are formulas, the same here and in tests/golden/make_audio.py, and the golden values
// made from them.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <numbers>
#include <string>
#include <vector>

namespace vmr::audio::test {

constexpr double kRate = 16000;

inline at::Tensor to_tensor(const std::vector<double>& values) {
  auto tensor = at::empty({static_cast<int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), tensor.mutable_data_ptr<float>());
  return tensor;
}

inline std::vector<double> to_vector(const at::Tensor& tensor) {
  const auto flat = tensor.to(at::kCPU, at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

// Uniform in [-1, 1): sample i is a hash of i and seed.
inline std::vector<double> noise(int64_t samples, uint32_t seed) {
  std::vector<double> values(samples);
  for (int64_t i = 0; i < samples; ++i) {
    uint32_t h = static_cast<uint32_t>(i) * 2654435761u + seed * 40503u + 1u;
    h ^= h >> 16;
    h *= 0x85EBCA6Bu;
    h ^= h >> 13;
    h *= 0xC2B2AE35u;
    h ^= h >> 16;
    values[i] = h / 2147483648.0 - 1.0;
  }
  return values;
}

inline std::vector<double> scaled(std::vector<double> values, double gain, double offset = 0) {
  for (double& value : values) value = offset + gain * value;
  return values;
}

inline std::vector<double> sine(int64_t samples, double hz, double rate = kRate) {
  std::vector<double> values(samples);
  for (int64_t i = 0; i < samples; ++i)
    values[i] = std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate);
  return values;
}

inline void add_hit(std::vector<double>& out, double start, double gain, double decay,
                    const std::vector<double>& source) {
  const auto begin = static_cast<int64_t>(std::nearbyint(start));
  const auto length =
      std::min({static_cast<int64_t>(6 * decay), static_cast<int64_t>(source.size()),
                static_cast<int64_t>(out.size()) - begin});
  if (begin < 0) return;
  for (int64_t n = 0; n < length; ++n)
    out[begin + n] += gain * std::exp(-static_cast<double>(n) / decay) * source[n];
}

struct Song {
  double bpm;
  double seconds;
  uint32_t seed;
  double ramp = 0;
};

struct RenderedSong {
  at::Tensor waveform;        // [samples] float32
  std::vector<double> beats;  // seconds
};

// Kick, snare, hats and chords with a few milliseconds of jitter, see make_audio.py.
inline RenderedSong render(const Song& song) {
  const auto [bpm, seconds, seed, ramp] = song;
  auto out = scaled(noise(static_cast<int64_t>(seconds * kRate), seed), 0.0005);
  const auto jitter = noise(8192, seed + 1), hiss = noise(8000, seed + 2), kick = sine(8000, 62);
  RenderedSong result;
  double at = 0.11 + 0.013 * (seed % 7);
  for (int64_t beat = 0; at < seconds; ++beat) {
    result.beats.push_back(at);
    const double period = 60 / (bpm * (1 + ramp * at / seconds));
    const double soft = 1 - 0.1 * (1 + jitter[(4 * beat + 1) % 8192]);
    const double start = (at + 0.004 * jitter[4 * beat % 8192]) * kRate;
    if (beat % 2 == 0) {
      add_hit(out, start, 0.8 * soft, 0.07 * kRate, kick);
    } else {
      add_hit(out, start, 0.5 * soft, 0.04 * kRate, hiss);
    }
    for (int half = 0; half < 2; ++half) {
      const double late = 0.004 * jitter[(4 * beat + 2 + half) % 8192];
      add_hit(out, (at + half * period / 2 + late) * kRate, 0.12, 0.01 * kRate, hiss);
    }
    if (beat % 4 == 0) {
      const auto step = static_cast<double>((seed + beat / 4 * 5) % 12);
      for (const double ratio : {1.0, 1.25, 1.5})
        add_hit(out, at * kRate, 0.08, 0.6 * kRate,
                sine(32000, 110 * std::pow(2.0, step / 12) * ratio));
    }
    at += period;
  }
  result.waveform = to_tensor(out);
  return result;
}

inline const nlohmann::json& golden(const std::string& name) {
  static std::map<std::string, nlohmann::json> files;
  if (!files.contains(name)) {
    std::ifstream file(std::string(VMR_TEST_DATA) + "/audio/" + name + ".json");
    files[name] = nlohmann::json::parse(file);
  }
  return files[name];
}

// The entry of a list whose "name" is `name`.
inline std::vector<double> golden_values(const nlohmann::json& list, const std::string& name) {
  for (const auto& entry : list)
    if (entry.at("name") == name) return entry.at("values").get<std::vector<double>>();
  return {};
}

// Largest |a - b|; infinity for different lengths or a value that is not finite.
inline double max_error(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size() || a.empty()) return INFINITY;
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(a[i] - b[i]);
    if (!(error <= worst)) worst = std::isnan(error) ? INFINITY : error;
  }
  return worst;
}

}  // namespace vmr::audio::test
