#include "media/input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "vmr/core/error.h"

namespace vmr::media::detail {
namespace {

constexpr int kBufferBytes = 1 << 16;
// A single step of FFmpeg (open, one packet) that takes longer than this is hanging.
constexpr auto kStepLimit = std::chrono::seconds(60);
constexpr int64_t kMaxPixels = int64_t(1) << 27;  // 16K films; hostile headers claim more

bool usable_video(const AVStream* stream) {
  return stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
         !(stream->disposition & AV_DISPOSITION_ATTACHED_PIC) &&
         stream->codecpar->codec_id != AV_CODEC_ID_ANSI;  // text files pose as that
}

}  // namespace

Input::Input(const char* function, const std::filesystem::path& path, std::stop_token stop)
    : function_(function), path_(path), name_(path.string()), stop_(std::move(stop)) {
  try {
    open_file();
    open_container();
    pick_streams();
  } catch (...) {
    close();
    throw;
  }
}

Input::~Input() { close(); }

void Input::close() {
  avformat_close_input(&context_);
  if (io_) av_freep(&io_->buffer);
  avio_context_free(&io_);
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

void Input::fail(const std::string& text) const {
  throw MediaError(vmr::detail::concat(function_, ": ", name_, ": ", text));
}

void Input::throw_if_stopped() const {
  if (stop_.stop_requested()) {
    throw Error(vmr::detail::concat(function_, ": ", name_, ": stopped on request"));
  }
}

void Input::restart_watchdog() { deadline_ = std::chrono::steady_clock::now() + kStepLimit; }

int Input::interrupted(void* opaque) {
  const auto* self = static_cast<Input*>(opaque);
  return self->stop_.stop_requested() || std::chrono::steady_clock::now() > self->deadline_;
}

int Input::read_bytes(void* opaque, uint8_t* buffer, int size) {
  auto* self = static_cast<Input*>(opaque);
  if (interrupted(opaque)) return AVERROR_EXIT;
  for (;;) {
    const ssize_t count = ::read(self->file_, buffer, static_cast<size_t>(size));
    if (count > 0) return static_cast<int>(count);
    if (count == 0) return AVERROR_EOF;
    if (errno != EINTR) return AVERROR(errno);
  }
}

int64_t Input::seek_bytes(void* opaque, int64_t offset, int whence) {
  auto* self = static_cast<Input*>(opaque);
  if (whence == AVSEEK_SIZE) return self->file_bytes_;
  const off_t place = ::lseek(self->file_, offset, whence & ~AVSEEK_FORCE);
  return place < 0 ? AVERROR(errno) : place;
}

void Input::open_file() {
  // O_NONBLOCK: a FIFO must be refused, not waited for.
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file_ < 0) fail(vmr::detail::concat("cannot be opened: ", std::strerror(errno)));
  struct stat status {};
  if (::fstat(file_, &status) != 0) fail(vmr::detail::concat("fstat: ", std::strerror(errno)));
  if (S_ISDIR(status.st_mode)) fail("is a folder; give a media file");
  if (!S_ISREG(status.st_mode)) fail("is not a regular file; copy it to one first");
  if (status.st_size == 0) fail("is empty (0 bytes); fetch it again");
  file_bytes_ = status.st_size;
}

void Input::open_container() {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferBytes));
  if (!buffer) throw std::bad_alloc();
  io_ = avio_alloc_context(buffer, kBufferBytes, 0, this, read_bytes, nullptr, seek_bytes);
  context_ = avformat_alloc_context();
  if (!io_ || !context_) throw std::bad_alloc();
  context_->pb = io_;
  context_->interrupt_callback = {interrupted, this};
  context_->protocol_whitelist = av_strdup("");  // what a file refers to stays closed
  restart_watchdog();
  int result = avformat_open_input(&context_, nullptr, nullptr, nullptr);  // frees it on failure
  throw_if_stopped();
  if (result < 0) {
    fail(vmr::detail::concat("is not a media file FFmpeg can open: ", error_text(result),
                             messages_.in_brackets(), "; check that it is whole"));
  }
  restart_watchdog();
  result = avformat_find_stream_info(context_, nullptr);
  throw_if_stopped();
  if (result < 0) note("the streams could not be analysed: " + error_text(result));
}

void Input::pick_streams() {
  const int video = av_find_best_stream(context_, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (video >= 0 && usable_video(context_->streams[video])) video_ = context_->streams[video];
  for (unsigned i = 0; !video_ && i < context_->nb_streams; ++i) {
    if (usable_video(context_->streams[i])) video_ = context_->streams[i];
  }
  const int audio = av_find_best_stream(context_, AVMEDIA_TYPE_AUDIO, -1, video, nullptr, 0);
  if (audio >= 0 && context_->streams[audio]->codecpar->sample_rate > 0) {
    audio_ = context_->streams[audio];
  }
  // The clock's zero. It must not depend on what is wanted from the file, so both streams count.
  bool known = false;
  for (const AVStream* stream : {video_, audio_}) {
    if (!stream || stream->start_time == AV_NOPTS_VALUE) continue;
    const Ticks start{stream->start_time, stream->time_base};
    if (!known || seconds_between(start, origin_) < 0) origin_ = start;
    known = true;
  }
}

bool Input::is_mp4() const { return std::strstr(context_->iformat->name, "mp4") != nullptr; }

void Input::keep_streams(bool video, bool audio) {
  for (unsigned i = 0; i < context_->nb_streams; ++i) {
    AVStream* stream = context_->streams[i];
    const bool keep = (video && stream == video_) || (audio && stream == audio_);
    stream->discard = keep ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
}

bool Input::read(AVPacket* packet) {
  for (;;) {
    throw_if_stopped();
    restart_watchdog();
    av_packet_unref(packet);
    const int result = av_read_frame(context_, packet);
    throw_if_stopped();
    if (result == AVERROR_EXIT) fail("gave no packet within 60 s; the disk or the file is broken");
    if (result == AVERROR(EAGAIN)) continue;
    if (result < 0) {
      const bool cut = io_->error < 0 && io_->error != AVERROR_EOF;
      if (result != AVERROR_EOF || cut) {
        note("reading stopped early: " + error_text(cut ? io_->error : result) +
             messages_.in_brackets());
      }
      return false;
    }
    packet_bytes_ += packet->size;
    if (packet_bytes_ > 16 * file_bytes_ + (1 << 20)) {
      note("the index names more data than the file has; reading stopped");
      return false;
    }
    const AVStream* stream = context_->streams[packet->stream_index];
    if (stream->discard != AVDISCARD_ALL) return true;
  }
}

double Input::seconds(const AVStream* stream, int64_t pts) const {
  return seconds_between({pts, stream->time_base}, origin_);
}

double Input::claimed_seconds(const AVStream* stream) const {
  if (context_->duration_estimation_method != AVFMT_DURATION_FROM_STREAM) return 0;
  return stream->duration == AV_NOPTS_VALUE
             ? 0
             : seconds_between({stream->duration, stream->time_base}, {0, stream->time_base});
}

void Input::note(std::string problem) {
  if (std::find(problems_.begin(), problems_.end(), problem) == problems_.end()) {
    problems_.push_back(std::move(problem));
  }
}

CodecHandle open_decoder(const Input& input, const AVStream* stream, int threads,
                         bool motion_vectors) {
  const AVCodecID id = stream->codecpar->codec_id;
  const AVCodec* decoder = avcodec_find_decoder(id);
  if (!decoder) {
    input.fail(vmr::detail::concat("no decoder for ", avcodec_get_name(id),
                                   " in this FFmpeg; convert the file"));
  }
  CodecHandle codec(avcodec_alloc_context3(decoder));
  if (!codec) throw std::bad_alloc();
  int result = avcodec_parameters_to_context(codec.get(), stream->codecpar);
  codec->pkt_timebase = stream->time_base;
  codec->thread_count = threads;
  codec->max_pixels = kMaxPixels;
  codec->log_level_offset = kSilentLogOffset;
  if (motion_vectors) {
    codec->export_side_data |= AV_CODEC_EXPORT_DATA_MVS;
    // With a thread for each frame FFmpeg exports the vectors of a frame while its own thread may
    // still be writing them, and the answer depends on which is faster.
    codec->thread_type = FF_THREAD_SLICE;
  }
  if (result >= 0) result = avcodec_open2(codec.get(), decoder, nullptr);
  if (result < 0) {
    input.fail(vmr::detail::concat("the ", avcodec_get_name(id),
                                   " decoder refuses the stream: ", error_text(result)));
  }
  return codec;
}

}  // namespace vmr::media::detail
