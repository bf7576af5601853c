#include "media/message_log.h"

#include <algorithm>
#include <atomic>
#include <cstdarg>
#include <mutex>

#include "media/ffmpeg_handles.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace detail {
namespace {

// The one process-wide choice FFmpeg forces on us (probe.h tells callers about it).
std::atomic<bool> log_is_foreign{false};
thread_local MessageLog* current_log = nullptr;

void collect(void* context, int level, const char* format, va_list arguments) {
  if (!current_log) {
    if (level < kSilentLogOffset) av_log_default_callback(context, level, format, arguments);
    return;
  }
  if (level >= kSilentLogOffset) level -= kSilentLogOffset;
  if (level > AV_LOG_ERROR) return;
  char text[512];
  vsnprintf(text, sizeof text, format, arguments);
  current_log->add(text);
}

}  // namespace

CollectMessages::CollectMessages(MessageLog& log) : outer_(current_log) {
  static std::once_flag once;
  if (!log_is_foreign) std::call_once(once, [] { av_log_set_callback(collect); });
  current_log = &log;
}

CollectMessages::~CollectMessages() { current_log = outer_; }

void MessageLog::add(std::string line) {
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  const bool known = std::find(lines_.begin(), lines_.end(), line) != lines_.end();
  if (!line.empty() && !known && lines_.size() < 8) lines_.push_back(std::move(line));
}

std::string MessageLog::in_brackets() const {
  return lines_.empty() ? "" : " (FFmpeg: " + lines_.front() + ")";
}

FrameHandle make_frame() {
  FrameHandle frame(av_frame_alloc());
  if (!frame) throw std::bad_alloc();
  return frame;
}

PacketHandle make_packet() {
  PacketHandle packet(av_packet_alloc());
  if (!packet) throw std::bad_alloc();
  return packet;
}

std::string error_text(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(code, text, sizeof text);
  return text;
}

double seconds_between(Ticks a, Ticks b) {
  using Wide = __int128;
  // Over a common denominator; the product of both only where they differ, to stay within 53 bits.
  const bool same = a.unit.den == b.unit.den;
  const Wide left = Wide(a.count) * a.unit.num * (same ? 1 : b.unit.den);
  const Wide right = Wide(b.count) * b.unit.num * (same ? 1 : a.unit.den);
  const Wide denominator = same ? Wide(a.unit.den) : Wide(a.unit.den) * b.unit.den;
  return static_cast<double>(left - right) / static_cast<double>(denominator);
}

}  // namespace detail

void leave_ffmpeg_log_alone() { detail::log_is_foreign = true; }

}  // namespace vmr::media
