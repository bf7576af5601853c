// The parts of the readers that need no FFmpeg: checks of options, and single-purpose plans.
#include <algorithm>
#include <array>
#include <cmath>

#include "vmr/core/error.h"
#include "vmr/media/audio_reader.h"
#include "vmr/media/decode.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/video_reader.h"

namespace vmr::media {

void validate(const AudioOptions& options) {
  VMR_CHECK(options.rate_hz >= 0 && options.rate_hz <= 768000 &&
                options.rate_hz == std::floor(options.rate_hz),
            "AudioOptions: rate_hz is ", options.rate_hz, ", expected a whole number to 768000");
  VMR_CHECK(options.channels >= 0 && options.channels <= 8, "AudioOptions: channels is ",
            options.channels, ", expected 0 to 8");
  VMR_CHECK(options.start_seconds >= 0 && std::isfinite(options.start_seconds),
            "AudioOptions: start_seconds is ", options.start_seconds, ", expected 0 or more");
  VMR_CHECK(options.duration_seconds >= 0 && std::isfinite(options.duration_seconds),
            "AudioOptions: duration_seconds is ", options.duration_seconds, ", expected 0 or more");
}

void validate(const FilmWriterOptions& options) {
  VMR_CHECK(options.width > 0 && options.height > 0 && options.width % 2 == 0 &&
                options.height % 2 == 0 && options.width <= 16384 && options.height <= 16384,
            "FilmWriterOptions: size is ", options.width, " x ", options.height,
            ", expected even numbers up to 16384 (H.264 stores colour at half size)");
  VMR_CHECK(options.fps >= 0.01 && options.fps <= 1000, "FilmWriterOptions: fps is ", options.fps,
            ", expected 0.01 to 1000");
  VMR_CHECK(options.channels >= 0 && options.channels <= 8, "FilmWriterOptions: channels is ",
            options.channels, ", expected 0 to 8");
  VMR_CHECK(options.channels == 0 || (options.rate_hz >= 8000 && options.rate_hz <= 96000 &&
                                      options.rate_hz == std::floor(options.rate_hz)),
            "FilmWriterOptions: rate_hz is ", options.rate_hz,
            ", expected a whole number from 8000 to 96000");
  VMR_CHECK(options.crf >= 0 && options.crf <= 51, "FilmWriterOptions: crf is ", options.crf,
            ", expected 0 to 51");
  static constexpr std::array kPresets{"ultrafast", "superfast", "veryfast", "faster",   "fast",
                                       "medium",    "slow",      "slower",   "veryslow", "placebo"};
  VMR_CHECK(std::find(kPresets.begin(), kPresets.end(), options.preset) != kPresets.end(),
            "FilmWriterOptions: preset is \"", options.preset,
            "\", expected one of x264's from ultrafast to placebo");
  VMR_CHECK(options.threads >= 0, "FilmWriterOptions: threads is ", options.threads,
            ", expected 0 or more");
  VMR_CHECK(options.key_frame_every >= 0, "FilmWriterOptions: key_frame_every is ",
            options.key_frame_every, ", expected 0 or more");
  VMR_CHECK(options.b_frames >= -1 && options.b_frames <= 16, "FilmWriterOptions: b_frames is ",
            options.b_frames, ", expected -1 to 16");
  VMR_CHECK(options.rotation_degrees % 90 == 0 && options.rotation_degrees >= 0 &&
                options.rotation_degrees <= 270,
            "FilmWriterOptions: rotation_degrees is ", options.rotation_degrees,
            ", expected 0, 90, 180 or 270");
}

void validate(const PreviewOptions& options) {
  VMR_CHECK(std::isfinite(options.offset_seconds), "PreviewOptions: offset_seconds is ",
            options.offset_seconds, ", expected finite seconds");
  VMR_CHECK(options.fade_seconds >= 0 && std::isfinite(options.fade_seconds),
            "PreviewOptions: fade_seconds is ", options.fade_seconds, ", expected 0 or more");
  VMR_CHECK(options.stretch >= 0.5 && options.stretch <= 2, "PreviewOptions: stretch is ",
            options.stretch, ", expected 0.5 to 2 times the music's tempo");
  const double lufs = options.target_lufs.value_or(kPreviewLufs);
  VMR_CHECK(lufs >= -60 && lufs <= 0, "PreviewOptions: target_lufs is ", lufs,
            ", expected -60 to 0 LUFS");
  const double gain = options.film_sound_gain_db.value_or(0);
  VMR_CHECK(gain >= -100 && gain <= 24, "PreviewOptions: film_sound_gain_db is ", gain,
            ", expected -100 to 24 dB");
}

void validate_preview_path(const std::filesystem::path& out) {
  static constexpr std::array kEndings{".mp4", ".m4v", ".mov", ".mkv"};
  const auto ending = out.extension().string();
  VMR_CHECK(std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end(),
            "write_preview: ", out.string(),
            ": a preview's name ends in .mp4, .m4v, .mov or .mkv, ",
            ending.empty() ? "this has no ending" : "not in " + ending);
}

void validate(const DecodePlan& plan) {
  if (plan.audio) validate(*plan.audio);
  for (const FrameJob& job : plan.frame_jobs) validate(job);
  VMR_CHECK(plan.threads >= 0 && plan.threads <= 256, "DecodePlan: threads is ", plan.threads,
            ", expected 0 to 256");
  VMR_CHECK(plan.audio || !plan.frame_jobs.empty() || plan.motion_vectors,
            "DecodePlan: asks for nothing; set audio, frame_jobs or motion_vectors");
}

Audio read_audio(const std::filesystem::path& path, const AudioOptions& options,
                 std::stop_token stop) {
  DecodePlan plan;
  plan.audio = options;
  return std::move(*decode(path, plan, std::move(stop)).audio);
}

Frames read_frames(const std::filesystem::path& path, const FrameJob& job, std::stop_token stop) {
  DecodePlan plan;
  plan.frame_jobs.push_back(job);
  return std::move(decode(path, plan, std::move(stop)).frames.front());
}

}  // namespace vmr::media
