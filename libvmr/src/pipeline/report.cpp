#include "vmr/pipeline/report.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/file_io.h"
#include "pipeline/number_text.h"
#include "pipeline/report_page.h"
#include "pipeline/report_parts.h"
#include "pipeline/time_plot.h"
#include "vmr/audio/beat.h"
#include "vmr/core/error.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/video_reader.h"
#include "vmr/pipeline/fit.h"
#include "vmr/pipeline/svg_plot.h"
#include "vmr/video/picture.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kThumbnailWidth = 240;
constexpr double kAnalysisRateHz = 16000;
constexpr int64_t kWaveformPoints = 900;
constexpr double kFrameSeconds = 0.1;  // flow at shorter steps takes every frame

std::string base64(const std::string& bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j) word = word << 8 | (j < count ? uint8_t(bytes[i + j]) : 0);
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kDigits[word >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

// A plot in the page; narrower windows scroll it rather than shrink its letters.
std::string figure(const SvgPlot& plot) { return "<div class=\"plot\">" + svg(plot) + "</div>\n"; }

// Loudness, the beats as markers, the film's cuts as a second kind of marker; all in the film's
// time, at whose `begin` the sound begins.
std::string waveform_figure(const at::Tensor& mono, double begin, const audio::BeatResult& beats,
                            const std::vector<double>& cuts) {
  const double seconds = double(mono.size(0)) / kAnalysisRateHz, end = begin + seconds;
  auto plot =
      detail::time_plot("Loudness, beats (dashed) and the film's cuts (red)", seconds, "rms", "");
  plot.x_axis.begin = begin;
  plot.x_axis.end = std::max(end, begin + 0.1);
  plot.height = 200;
  SvgSeries series;
  const int64_t step = std::max<int64_t>(1, mono.size(0) / kWaveformPoints);
  const auto* sample = mono.const_data_ptr<float>();
  for (int64_t first = 0; first + step <= mono.size(0); first += step) {
    double energy = 0;
    for (int64_t i = first; i < first + step; ++i) energy += double(sample[i]) * sample[i];
    series.x.push_back(begin + (double(first) + double(step) / 2) / kAnalysisRateHz);
    series.y.push_back(std::sqrt(energy / double(step)));
  }
  plot.series.push_back(series);
  for (const double beat : beats.beats_seconds) {
    if (beat < seconds) plot.markers.push_back({begin + beat, "", "#9aa5b1"});
  }
  for (const double cut : cuts) {
    if (cut >= begin && cut < end) plot.markers.push_back({cut, "", "#c0392b"});
  }
  return figure(plot);
}

}  // namespace

namespace detail {

const FeatureTrack* find_track(const FilmAnalysis& film, const std::string& name) {
  for (const auto& [feature, track] : film.tracks) {
    if (feature == name) return &track;
  }
  return nullptr;
}

std::vector<double> moments(const FeatureTrack* track) {
  if (track == nullptr) return {};
  const auto values = track->values.to(at::kDouble).contiguous();
  const auto* begin = values.const_data_ptr<double>();
  return {begin, begin + values.numel()};
}

std::string film_strip(const FilmAnalysis& film, int64_t count) {
  media::FrameJob job;
  for (int64_t i = 0; i < count; ++i) {
    job.times_seconds.push_back((double(i) + 0.5) * film.duration_seconds / double(count));
  }
  job.prepare = [](const at::Tensor& rgb) {
    const int64_t height = std::max<int64_t>(1, rgb.size(0) * kThumbnailWidth / rgb.size(1));
    return video::resize(rgb, height, kThumbnailWidth, video::ResizeKernel::opencv_area);
  };
  const auto frames = media::read_frames(film.path, job);
  std::string html = "<div class=\"strip\">\n";
  for (int64_t i = 0; i < count; ++i) {
    const auto seconds = number_text(frames.requested_seconds[size_t(i)], 1);
    html += "<figure><img alt=\"frame at " + seconds + " s\" src=\"data:image/jpeg;base64," +
            base64(video::encode_jpeg(frames.pixels[i])) + "\"><figcaption>" + seconds +
            " s</figcaption></figure>\n";
  }
  return html + "</div>\n";
}

std::string page_head(const std::string& title) {
  return "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<title>" +
         title + "</title>\n<style>" + kReportStyle + "</style></head><body>\n<h1>" + title +
         "</h1>\n";
}

std::string flow_figure(const FilmAnalysis& film) {
  const auto* flow = find_track(film, "flow");
  if (flow == nullptr || flow->times.size() < 2) return "";
  auto plot = time_plot("Motion and cuts", film.duration_seconds, "flow", "pixels");
  const auto cuts = moments(find_track(film, "cuts"));
  SvgSeries series;
  series.name = "mean flow between frames";
  const double hop = flow->times.hop_seconds();
  const bool every_frame = hop < kFrameSeconds;
  const auto* raw = flow->values.const_data_ptr<float>();
  // On the clock of every frame: without frames that are shown twice.
  const auto motion = every_frame ? film_rhythm(film).motion.values
                                  : std::vector<float>(raw + 1, raw + flow->values.numel());
  double highest = 0;
  for (size_t i = 0; i < motion.size(); ++i) {
    const double seconds = double(i + 1) * hop;
    series.x.push_back(seconds);
    series.y.push_back(double(motion[i]));
    const auto cut = std::lower_bound(cuts.begin(), cuts.end(), seconds - 3 * hop);
    if (cut == cuts.end() || *cut > seconds + 2 * hop) highest = std::max(highest, series.y.back());
  }
  // From one shot to the next everything seems to move: the frames between set the scale.
  if (every_frame && highest > 0) plot.y_axis.end = 1.15 * highest;
  plot.series.push_back(series);
  for (const double cut : cuts) plot.markers.push_back({cut, ""});
  return figure(plot);
}

std::string start_text(double offset_seconds) {
  return offset_seconds < 0 ? "begins " + number_text(-offset_seconds, 2) + " s into the film"
                            : "from " + number_text(offset_seconds, 2) + " s";
}

std::string describe_hit(const retrieval::Hit& hit, size_t rank, double bar_pixels) {
  std::string tags;
  for (const auto& tag : hit.metadata.value("tags", nlohmann::json::array())) {
    if (tag.is_string()) tags += (tags.empty() ? "" : ", ") + tag.get<std::string>();
  }
  std::string html =
      "<header><span class=\"rank\">" + std::to_string(rank) + "</span><span class=\"title\">" +
      escape_xml(hit.metadata.value("title", hit.id)) + "</span><span class=\"meta\">" +
      escape_xml(hit.id) + (tags.empty() ? "" : " · " + escape_xml(tags)) +
      "</span><span class=\"score\">" + number_text(hit.score, 3) + "</span></header>\n";
  html += "<table class=\"parts\">\n";
  for (const auto& part : hit.parts) {
    const double share = part.value * part.weight;
    html += "<tr><td>" + escape_xml(part.name) + "</td><td>" + number_text(part.value, 3) + " × " +
            number_text(part.weight, 2) + "</td><td><span class=\"bar" +
            (share < 0 ? " less" : "") +
            "\" style=\"width:" + number_text(std::min(std::abs(share) * bar_pixels, 160.0), 0) +
            "px\"></span></td></tr>\n";
  }
  return html + "</table>\n";
}

std::string sound_url(const fs::path& path, double offset, double seconds) {
  media::AudioOptions options;
  options.rate_hz = 44100;
  options.channels = 0;
  options.start_seconds = std::max(0.0, offset);
  options.duration_seconds = seconds;
  const auto sound = media::read_audio(path, options);
  std::string folder = (fs::temp_directory_path() / "vmr-report-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    throw StoreError("report: cannot make a temporary folder in " +
                     fs::temp_directory_path().string());
  }
  const fs::path file = fs::path(folder) / "sound.m4a";
  try {
    media::write_audio(file, sound);
    const auto bytes = vmr::detail::read_file(file);
    fs::remove_all(folder);
    return "data:audio/mp4;base64," + base64(bytes);
  } catch (...) {
    fs::remove_all(folder);
    throw;
  }
}

}  // namespace detail

namespace {

std::string sound_figures(const retrieval::Hit& hit, const std::vector<double>& cuts,
                          bool with_player, double seconds) {
  const auto path = track_path(hit);
  try {
    media::AudioOptions options;
    options.rate_hz = kAnalysisRateHz;
    options.start_seconds = std::max(0.0, hit.offset_seconds);
    options.duration_seconds = seconds;
    const auto mono = media::read_audio(path, options).samples[0].contiguous();
    audio::BeatOptions beat_options;
    beat_options.rate_hz = kAnalysisRateHz;
    const auto beats = audio::track_beats(mono, beat_options);
    std::string html =
        "<p class=\"meta\">" + number_text(beats.tempo_bpm, 1) + " BPM" +
        (hit.offset_seconds != 0 ? ", " + detail::start_text(hit.offset_seconds) : "") + "</p>\n" +
        waveform_figure(mono, std::max(0.0, -hit.offset_seconds), beats, cuts);
    if (with_player) {
      html += "<audio controls preload=\"none\" src=\"" +
              detail::sound_url(path, hit.offset_seconds, seconds) + "\"></audio>\n";
    }
    return html;
  } catch (const MediaError& error) {
    return "<p class=\"gone\">no sound: " + escape_xml(error.what()) + "</p>\n";
  }
}

}  // namespace

void write_match_report(const fs::path& out, const FilmAnalysis& film,
                        const std::vector<retrieval::Hit>& hits, const ReportOptions& options,
                        const RunControl& control) {
  const std::string name = escape_xml(film.path.filename().string());
  const auto cuts = detail::moments(detail::find_track(film, "cuts"));
  std::string html = detail::page_head("Music for " + name) + "<p class=\"note\">" +
                     number_text(film.duration_seconds, 1) + " s, " + std::to_string(cuts.size()) +
                     " cuts found, " + std::to_string(hits.size()) + " tracks ranked</p>\n";
  html += detail::film_strip(film, std::max<int64_t>(1, options.key_frames));
  html +=
      detail::flow_figure(film) +
      "<h2>Tracks, best first</h2>\n<p class=\"note\">A score is the sum of "
      "its parts, each times its weight: cosines, and with cuts and beats standard scores.</p>\n";
  for (size_t i = 0; i < hits.size(); ++i) {
    html += "<section class=\"hit\">\n" + detail::describe_hit(hits[i], i + 1) +
            sound_figures(hits[i], cuts, int64_t(i) < options.players, options.player_seconds) +
            "</section>\n";
    control.progress({"report", int64_t(i) + 1, int64_t(hits.size()), hits[i].id});
    if (control.stop.stop_requested()) return;  // an earlier page stays whole
  }
  html += "</body></html>\n";
  vmr::detail::write_file_atomically(out, html);
}

}  // namespace vmr::pipeline
