#include "support/corpus/sound.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "synth/random.h"

static_assert(std::endian::native == std::endian::little, "WAV files are written as memory is");

namespace vmr::corpus {
namespace {

namespace fs = std::filesystem;

template <typename T>
void put(std::ofstream& out, T value) {
  out.write(reinterpret_cast<const char*>(&value), sizeof value);
}

template <typename T>
T get(const std::vector<char>& bytes, size_t at) {
  T value;
  if (at + sizeof value > bytes.size()) throw std::runtime_error("read_wav: the file is cut off");
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

void fade(Samples& samples, double seconds, bool in) {
  const auto count = std::min(samples.size(), size_t(seconds * kRateHz));
  for (size_t i = 0; i < count; ++i) {
    const double gain = std::pow(double(i) / double(count), 1.5);
    samples[in ? i : samples.size() - 1 - i] *= float(gain);
  }
}

bool through_mp3(Samples& samples, int kbps, const fs::path& scratch) {
  const auto wav = scratch / "before.wav", mp3 = scratch / "coded.mp3",
             back = scratch / "after.wav";
  write_wav(wav, samples);
  if (!run_program({"ffmpeg", "-y", "-i", wav, "-b:a", std::to_string(kbps) + "k", mp3}) ||
      !run_program(
          {"ffmpeg", "-y", "-i", mp3, "-ar", std::to_string(kRateHz), "-c:a", "pcm_s16le", back}))
    return false;
  auto coded = read_wav(back);
  coded.resize(samples.size());
  samples = std::move(coded);
  return true;
}

}  // namespace

void write_wav(const fs::path& path, const Samples& samples) {
  std::ofstream out(path, std::ios::binary);
  const auto bytes = uint32_t(samples.size() * 2);
  out << "RIFF";
  put(out, uint32_t(36 + bytes));
  out << "WAVEfmt ";
  put(out, uint32_t(16));
  put(out, uint16_t(1));  // PCM
  put(out, uint16_t(1));  // channels
  put(out, uint32_t(kRateHz));
  put(out, uint32_t(kRateHz * 2));
  put(out, uint16_t(2));
  put(out, uint16_t(16));
  out << "data";
  put(out, bytes);
  for (const float sample : samples)
    put(out, int16_t(std::lround(std::clamp(sample, -1.0f, 1.0f) * 32767)));
  if (!out) throw std::runtime_error("write_wav: cannot write " + path.string());
}

Samples read_wav(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(in), {}};
  const auto is = [&](size_t at, const char* name) {
    return at + 4 <= bytes.size() && std::memcmp(bytes.data() + at, name, 4) == 0;
  };
  if (!is(0, "RIFF") || !is(8, "WAVE"))
    throw std::runtime_error("read_wav: " + path.string() + " is not a WAV file");
  size_t channels = 0;
  for (size_t at = 12; at + 8 <= bytes.size();) {
    const size_t size = get<uint32_t>(bytes, at + 4);
    if (is(at, "fmt ")) {
      channels = get<uint16_t>(bytes, at + 10);
      if (get<uint16_t>(bytes, at + 22) != 16 || get<uint32_t>(bytes, at + 12) != kRateHz)
        throw std::runtime_error("read_wav: " + path.string() + " is not 16 bit at 44.1 kHz");
    } else if (is(at, "data") && channels > 0) {
      // A program that wrote into a pipe does not know the length.
      const size_t frames = std::min(size, bytes.size() - at - 8) / 2 / channels;
      Samples samples(frames);
      for (size_t i = 0; i < frames * channels; ++i)
        samples[i / channels] +=
            float(get<int16_t>(bytes, at + 8 + 2 * i)) / (32768.0f * float(channels));
      return samples;
    }
    at += 8 + size + size % 2;
  }
  throw std::runtime_error("read_wav: " + path.string() + " has no sound");
}

void scale_to_peak(Samples& samples, double level_db) {
  float peak = 1e-9f;
  for (const float sample : samples) peak = std::max(peak, std::abs(sample));
  const auto gain = float(std::pow(10, level_db / 20) / peak);
  for (float& sample : samples) sample *= gain;
}

void add_noise(Samples& samples, double snr_db, uint64_t seed) {
  double power = 1e-12;
  for (const float sample : samples) power += double(sample) * sample / double(samples.size());
  const auto level = std::sqrt(power * std::pow(10, -snr_db / 10));
  // Paul Kellet's economy filter: white to pink within 0.5 dB; its output has deviation 1.6.
  synth::Noise noise(seed * 2 + 1);
  double a = 0, b = 0, c = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double white = noise.next();
    a = 0.99765 * a + white * 0.0990460;
    b = 0.96300 * b + white * 0.2965164;
    c = 0.57000 * c + white * 1.0526913;
    const double pink = (a + b + c + white * 0.1848) / 1.6;
    const double hum = 0.3 * std::sin(6.283185307179586 * 50 * double(i) / kRateHz);
    samples[i] += float(level * (pink + hum));
  }
}

bool apply(const Treatment& treatment, uint64_t seed, const fs::path& scratch, Samples& samples) {
  if (treatment.fade_in_seconds > 0) fade(samples, treatment.fade_in_seconds, true);
  if (treatment.fade_out_seconds > 0) fade(samples, treatment.fade_out_seconds, false);
  if (treatment.noise_snr_db > 0) add_noise(samples, treatment.noise_snr_db, seed);
  scale_to_peak(samples, treatment.level_db);
  return treatment.mp3_kbps == 0 || through_mp3(samples, treatment.mp3_kbps, scratch);
}

bool run_program(const std::vector<std::string>& words) {
  std::string line;
  for (const auto& word : words) line += "'" + word + "' ";  // ours alone: no quote in them
  return std::system((line + "</dev/null >/dev/null 2>&1").c_str()) == 0;
}

}  // namespace vmr::corpus
