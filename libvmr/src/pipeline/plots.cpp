#include "vmr/pipeline/plots.h"

#include <ATen/ATen.h>

#include "core/file_io.h"
#include "pipeline/number_text.h"
#include "pipeline/time_plot.h"

namespace vmr::pipeline {

namespace fs = std::filesystem;

void write_curve_plot(const fs::path& out, const std::string& title, const std::string& unit,
                      const std::vector<double>& seconds, const std::vector<double>& values) {
  auto plot = detail::time_plot(title, seconds.empty() ? 1 : seconds.back(), title, unit);
  plot.series.push_back({title, seconds, values});
  vmr::detail::write_file_atomically(out, svg(plot));
}

void write_moments_plot(const fs::path& out, const std::string& title,
                        const std::vector<double>& seconds) {
  auto plot =
      detail::time_plot(title, seconds.empty() ? 1 : seconds.back(), "seconds to the next", "s");
  SvgSeries series;
  for (size_t i = 0; i + 1 < seconds.size(); ++i) {
    series.x.push_back(seconds[i]);
    series.y.push_back(seconds[i + 1] - seconds[i]);
  }
  series.kind = SvgSeries::Kind::bars;
  plot.series.push_back(std::move(series));
  for (const double moment : seconds) plot.markers.push_back({moment, ""});
  vmr::detail::write_file_atomically(out, svg(plot));
}

void write_beat_plot(const fs::path& out, const audio::BeatResult& beats) {
  const double frame_seconds =
      double(beats.onset_options.hop_samples) / beats.onset_options.rate_hz;
  const auto onset = beats.onset.to(at::kFloat).contiguous();
  SvgSeries series;
  series.name = "onset strength";
  for (int64_t i = 0; i < onset.size(0); ++i) {
    series.x.push_back(double(i) * frame_seconds);
    series.y.push_back(double(onset.const_data_ptr<float>()[i]));
  }
  auto plot = detail::time_plot("Beats at " + number_text(beats.tempo_bpm, 1) + " BPM",
                                double(onset.size(0)) * frame_seconds, "onset strength", "dB");
  plot.series.push_back(series);
  for (const double beat : beats.beats_seconds) plot.markers.push_back({beat, ""});
  vmr::detail::write_file_atomically(out, svg(plot));
}

}  // namespace vmr::pipeline
