#include "editor_options.h"

#include <charconv>
#include <cmath>
#include <cstdio>

#include "vmr/core/error.h"

namespace vmr::apps {
namespace {

// "-16", "off".
std::optional<double> parse_loudness(const std::string& text) {
  if (text == "off") return std::nullopt;
  double value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  try {
    VMR_CHECK(read.ec == std::errc() && read.ptr == end, "not a number");
    media::validate(media::PreviewOptions{.target_lufs = value});
  } catch (const InvalidArgument&) {
    throw CLI::ValidationError("--preview-loudness",
                               "expected -60 to 0 LUFS, as -16, or off, got \"" + text + "\"");
  }
  return value;
}

}  // namespace

void add_preview_loudness(CLI::App& app, std::optional<double>& target_lufs) {
  target_lufs = media::kPreviewLufs;
  app.add_option_function<std::string>(
         "--preview-loudness",
         [&target_lufs](const std::string& text) { target_lufs = parse_loudness(text); },
         "loudness of previews in LUFS (EBU R 128), peaks below -1 dBTP; off: as the track is")
      ->default_str(std::to_string(std::lround(media::kPreviewLufs)));
}

std::string loudness_text(const media::PreviewSummary& preview) {
  if (!preview.loudness_lufs) return "";
  char text[80];
  std::snprintf(text, sizeof text, ", %.1f LUFS%s", *preview.loudness_lufs,
                preview.held_by_peaks ? " (its peaks leave room for no more)" : "");
  return text;
}

void add_marker_options(CLI::App& app, std::string& markers, pipeline::MarkerFileOptions& file) {
  app.add_option("--markers", markers,
                 "write markers for editors: a name in .edl, .csv, .json or .txt (Audacity)");
  app.add_option_function<std::string>(
         "--fps",
         [&file](const std::string& text) {
           try {
             file.rate = pipeline::parse_frame_rate(text);
           } catch (const InvalidArgument& error) {
             throw CLI::ValidationError("--fps", error.what());
           }
         },
         "frames/s of the markers' timecode; 29.97 and 59.94 count drop-frame, 29.97ndf not")
      ->default_str(pipeline::to_string(file.rate));
  app.add_option("--timecode-start", file.start_timecode, "timecode of the film's first frame")
      ->capture_default_str();
}

}  // namespace vmr::apps
