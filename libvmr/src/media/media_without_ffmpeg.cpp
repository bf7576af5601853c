// The media area of a build without FFmpeg.
#include "vmr/core/error.h"
#include "vmr/media/audio_blocks.h"
#include "vmr/media/decode.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

[[noreturn]] void not_built(const char* function) {
  throw NotBuilt(vmr::detail::concat(function,
                                     ": built without FFmpeg (VMR_WITH_FFMPEG=OFF or not found); "
                                     "install the libav*-dev packages and build again"));
}

}  // namespace

MediaInfo probe(const std::filesystem::path&, const ProbeOptions&) { not_built("probe"); }
void leave_ffmpeg_log_alone() {}

Decoded decode(const std::filesystem::path&, const DecodePlan& plan, std::stop_token) {
  validate(plan);
  not_built("decode");
}

std::vector<std::string> read_audio_blocks(const std::filesystem::path&,
                                           const AudioOptions& options,
                                           const std::function<bool(const at::Tensor&)>&,
                                           std::stop_token) {
  validate(options);
  not_built("read_audio_blocks");
}

struct FilmWriter::Impl {};
FilmWriter::FilmWriter(const std::filesystem::path&, const FilmWriterOptions& options) {
  validate(options);
  not_built("FilmWriter");
}
FilmWriter::~FilmWriter() = default;
FilmWriter::FilmWriter(FilmWriter&&) noexcept = default;
FilmWriter& FilmWriter::operator=(FilmWriter&&) noexcept = default;
void FilmWriter::add_frame(const at::Tensor&) { not_built("FilmWriter"); }
void FilmWriter::add_frame(const at::Tensor&, double) { not_built("FilmWriter"); }
void FilmWriter::add_audio(const at::Tensor&) { not_built("FilmWriter"); }
void FilmWriter::finish() { not_built("FilmWriter"); }

void write_audio(const std::filesystem::path&, const Audio&) { not_built("write_audio"); }

PreviewSummary write_preview(const std::filesystem::path&, const std::filesystem::path&,
                             const std::filesystem::path& out, const PreviewOptions& options,
                             std::stop_token) {
  validate_preview_path(out);
  validate(options);
  not_built("write_preview");
}

}  // namespace vmr::media
