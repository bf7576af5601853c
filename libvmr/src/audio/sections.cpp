#include "vmr/audio/sections.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "audio/mel_energies.h"
#include "vmr/core/error.h"

namespace vmr::audio {
namespace {

constexpr int64_t kMels = 40;
constexpr double kTopDecibels = 60;  // what lies further below the loudest band is raised to this
constexpr double kFrameSeconds = 0.05;  // of the spectrum; several make a frame of the comparison
constexpr double kWindowSeconds = 0.1;

int64_t spectrum_hops(const SectionOptions& options) {
  return std::max<int64_t>(1, std::llround(options.hop_seconds / kFrameSeconds));
}

// Of the spectrum, whole samples: rates that do not divide make the hop a little longer or shorter.
int64_t hop_samples(const SectionOptions& options) {
  return std::llround(options.rate_hz * options.hop_seconds / double(spectrum_hops(options)));
}

// Decibels of mel bands around each band's mean, one frame a hop: [n, mels] float32.
at::Tensor section_frames(const at::Tensor& waveform, const SectionOptions& options) {
  LogMelOptions mel;
  mel.rate_hz = options.rate_hz;
  mel.mels = kMels;
  const auto each = spectrum_hops(options);
  mel.hop_samples = hop_samples(options);
  mel.fft_samples = std::min<int64_t>(8192, 2 * std::llround(options.rate_hz * kWindowSeconds / 2));
  mel.window_samples = mel.fft_samples;
  const auto rows = detail::log_mel_rows(waveform.unsqueeze(0), mel).squeeze(0).cpu();
  const auto count = rows.size(0) / each;
  auto frames = at::zeros({count, kMels}, at::kFloat);
  const auto* value = rows.const_data_ptr<float>();
  auto* out = frames.mutable_data_ptr<float>();
  const float top = rows.numel() > 0 ? *std::max_element(value, value + rows.numel()) : 0;
  std::vector<double> means(kMels, 0.0);
  for (int64_t t = 0; t < count * each; ++t) {
    for (int64_t band = 0; band < kMels; ++band) {
      const float raised = std::max(value[t * kMels + band], top - float(kTopDecibels));
      out[t / each * kMels + band] += raised / float(each);
      means[size_t(band)] += double(raised) / double(count * each);
    }
  }
  for (int64_t i = 0; i < count * kMels; ++i) out[i] -= float(means[size_t(i % kMels)]);
  return frames;
}

// Rows of length 1; rows of (nearly) nothing become 0.
std::vector<double> unit_rows(const at::Tensor& frames) {
  const auto n = frames.size(0), dims = frames.size(1);
  const auto* value = frames.const_data_ptr<float>();
  std::vector<double> rows(value, value + n * dims);
  for (int64_t i = 0; i < n; ++i) {
    double square = 0;
    for (int64_t d = 0; d < dims; ++d)
      square += rows[size_t(i * dims + d)] * rows[size_t(i * dims + d)];
    const double scale = square > 1e-6 ? 1 / std::sqrt(square) : 0;
    for (int64_t d = 0; d < dims; ++d) rows[size_t(i * dims + d)] *= scale;
  }
  return rows;
}

// The mean of the values up to `around` to each side of i.
double local_mean(const double* value, int64_t n, int64_t i, int64_t around) {
  const auto first = std::max<int64_t>(0, i - around), last = std::min(n - 1, i + around);
  double sum = 0;
  for (int64_t j = first; j <= last; ++j) sum += value[j];
  return sum / double(last - first + 1);
}

}  // namespace

void validate(const SectionOptions& options) {
  const auto check = [](const char* field, double value, double low, double high) {
    VMR_CHECK(value >= low && value <= high, "SectionOptions: ", field, " = ", value,
              ", but it must be ", low, " to ", high);
  };
  check("rate_hz", options.rate_hz, 8000, 192000);
  check("hop_seconds", options.hop_seconds, 0.05, 2);
  check("kernel_seconds", options.kernel_seconds, 2, 60);
  check("min_seconds", options.min_seconds, 0, 600);
  check("min_strength", options.min_strength, 0, 1);
}

at::Tensor section_novelty(const at::Tensor& frames, int64_t half) {
  VMR_CHECK(frames.dim() == 2 && frames.scalar_type() == at::kFloat && frames.is_contiguous(),
            "section_novelty: expected contiguous frames [n, dims] float32, got ",
            frames.dtype().name(), " of ", frames.dim(), " axes");
  VMR_CHECK(half >= 1, "section_novelty: half must be 1 or more, got ", half);
  const auto n = frames.size(0), dims = frames.size(1);
  const auto rows = unit_rows(frames);
  std::vector<double> weights;  // at 1/2, 3/2, ... frames from the change
  for (int64_t x = 0; x < half; ++x) {
    const double distance = (double(x) + 0.5) / double(half);
    weights.push_back(std::exp(-2 * distance * distance));
  }
  auto novelty = at::zeros({n}, at::kDouble);
  auto* out = novelty.mutable_data_ptr<double>();
  // Cosines are products of unit rows, and the kernel is one of a and one of b: its sum over the
  // square is the squared length of the rows' sum, without any matrix of similarities.
  std::vector<double> difference(static_cast<size_t>(dims));
  for (int64_t i = 1; i < n; ++i) {
    std::fill(difference.begin(), difference.end(), 0.0);
    for (const int64_t side : {-1, 1}) {
      const int64_t reach = std::min(half, side < 0 ? i : n - i);
      double total = 0;
      for (int64_t x = 0; x < reach; ++x) total += weights[size_t(x)];
      for (int64_t x = 0; x < reach; ++x) {
        const int64_t row = side < 0 ? i - 1 - x : i + x;
        const double share = double(side) * weights[size_t(x)] / total;
        for (int64_t d = 0; d < dims; ++d)
          difference[size_t(d)] += share * rows[size_t(row * dims + d)];
      }
    }
    for (const double value : difference) out[i] += value * value / 4;
  }
  return novelty;
}

std::vector<int64_t> section_peaks(const at::Tensor& novelty, int64_t around, int64_t apart,
                                   double min_strength) {
  VMR_CHECK(novelty.dim() == 1 && novelty.scalar_type() == at::kDouble && novelty.is_contiguous(),
            "section_peaks: expected a contiguous novelty [n] float64");
  VMR_CHECK(around >= 1 && apart >= 0, "section_peaks: expected around >= 1 and apart >= 0, got ",
            around, " and ", apart);
  const auto n = novelty.size(0);
  const auto* value = novelty.const_data_ptr<double>();
  std::vector<int64_t> candidates;
  for (int64_t i = std::max<int64_t>(1, apart); i + std::max<int64_t>(1, apart) < n; ++i) {
    if (!(value[i] > value[i - 1] && value[i] >= value[i + 1])) continue;
    if (value[i] - local_mean(value, n, i, around) >= min_strength) candidates.push_back(i);
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [&](int64_t a, int64_t b) { return value[a] > value[b]; });
  std::vector<int64_t> peaks;
  for (const int64_t candidate : candidates) {
    const bool near = std::any_of(peaks.begin(), peaks.end(),
                                  [&](int64_t peak) { return std::abs(peak - candidate) < apart; });
    if (!near) peaks.push_back(candidate);
  }
  std::sort(peaks.begin(), peaks.end());
  return peaks;
}

std::vector<SectionChange> section_changes(const at::Tensor& waveform,
                                           const SectionOptions& options) {
  validate(options);
  detail::check_waveform("section_changes", waveform, false, false);
  detail::check_samples("section_changes", waveform.cpu().contiguous());
  const auto frames = section_frames(waveform, options);
  const auto count = [&](double seconds) {
    return std::max<int64_t>(1, std::llround(seconds / options.hop_seconds));
  };
  const auto half = count(options.kernel_seconds);
  const auto novelty = section_novelty(frames, half);
  const auto* value = novelty.const_data_ptr<double>();
  std::vector<SectionChange> changes;
  const double hop = double(hop_samples(options)) / options.rate_hz;
  const auto each = double(spectrum_hops(options));
  for (const auto peak :
       section_peaks(novelty, half, count(options.min_seconds), options.min_strength)) {
    // A frame of the spectrum is centred on its time: the border is half a hop before the first.
    changes.push_back({(double(peak) * each - 0.5) * hop,
                       value[peak] - local_mean(value, novelty.size(0), peak, half)});
  }
  return changes;
}

}  // namespace vmr::audio
