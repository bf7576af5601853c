#include "media/video_pass.h"

#include <algorithm>
#include <cmath>

#include "vmr/core/error.h"

namespace vmr::media::detail {
namespace {

constexpr int64_t kLargestGroupBytes = int64_t(128) << 20;
constexpr double kLongestFrame = 3600;  // seconds; longer ones are broken time stamps
constexpr double kPlainPause = 10;      // a longer one is believed once a later frame confirms it
constexpr int kMisplacedInARow = 3;     // then it is the clock that jumped, not a frame

double tolerance_of(const AVStream* stream) {
  return std::min(0.5 * av_q2d(stream->time_base), 0.5e-3);
}

double expected_length(const Input& input) {
  const double claim = input.claimed_seconds(input.video());
  const int64_t whole = input.context()->duration;
  return claim > 0 ? claim : whole > 0 ? static_cast<double>(whole) / AV_TIME_BASE : 0;
}

// Frames a second on average, 0 where unknown.
double rate_of(const AVStream* stream) {
  const AVRational rate = stream->avg_frame_rate;
  return rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0;
}

bool changes_decoder(const AVPacket* packet) {
  size_t size = 0;
  return av_packet_get_side_data(packet, AV_PKT_DATA_NEW_EXTRADATA, &size) ||
         av_packet_get_side_data(packet, AV_PKT_DATA_PARAM_CHANGE, &size);
}

}  // namespace

VideoPass::VideoPass(Input& input, const DecodePlan& plan, bool skipping)
    : input_(input),
      plan_(plan),
      skipping_(skipping),
      stream_(input.video()),
      codec_(open_decoder(input, stream_, plan.threads, plan.motion_vectors)),
      orientation_(orientation_of(stream_)),
      scheduler_(plan.frame_jobs, tolerance_of(stream_)),
      sink_(plan.frame_jobs, orientation_, expected_length(input),
            std::min(rate_of(stream_), 1000.0)),
      frame_(make_frame()),
      held_(make_frame()),
      ahead_(make_frame()),
      kinds_(stream_),
      wants_motion_(plan.motion_vectors) {
  if (plan.motion_vectors) {
    fields_.emplace(stream_, orientation_);
    if (plan.frame_jobs.empty()) {  // nobody sees the pixels
      codec_->skip_loop_filter = AVDISCARD_ALL;
      codec_->skip_idct = AVDISCARD_ALL;
    }
  }
  if (!orientation_.exact) {
    input.note("the picture is to be turned by no multiple of 90 degrees; the nearest is taken");
  }
}

bool VideoPass::may_skip(const Input& input, const DecodePlan& plan) {
  if (plan.decode_all || plan.motion_vectors || !PacketKinds(input.video()).known()) return false;
  const double film_fps = rate_of(input.video());
  const double seconds = std::max(expected_length(input), 1.0);
  double fps = 0;
  for (const FrameJob& job : plan.frame_jobs) {
    if (job.fps <= 0 && job.times_seconds.empty()) return false;
    fps += job.fps > 0 ? job.fps : static_cast<double>(job.times_seconds.size()) / seconds;
  }
  // Above half of the frames there is little to skip, and whole groups would wait in memory.
  return film_fps == 0 || fps < 0.5 * film_fps;
}

void VideoPass::add(const AVPacket* packet) {
  if (skipping_) {
    gather(packet);
  } else {
    send(packet);
  }
}

void VideoPass::end() {
  if (skipping_) {
    if (!group_.empty()) decode_group(true, 0);
    if (decoded_ == 0) throw NeedsFullDecode();
    return;
  }
  send(nullptr);
  if (ahead_begin_) hold(ahead_.get(), *ahead_begin_);
  if (held_begin_) {
    const double length = length_of(held_->pkt_duration);
    show_held(*held_begin_ + length, true);
  }
  if (undecodable_ > 0) {
    input_.note(vmr::detail::concat(undecodable_, " video packets could not be decoded",
                                    input_.messages().in_brackets()));
  }
  if (misplaced_ > 0) {
    input_.note(vmr::detail::concat(misplaced_, " frames left out: their time is not after that of",
                                    " the frame before, or over an hour later"));
  }
  if (decoded_ == 0) {
    input_.fail("the video stream holds no frame that can be decoded" +
                input_.messages().in_brackets());
  }
}

bool VideoPass::finished() const { return !wants_motion_ && scheduler_.finished(); }

void VideoPass::collect(Decoded& decoded) {
  decoded.frames = sink_.finish();
  decoded.motion = std::move(motion_);
  decoded.frames_decoded = decoded_;
}

double VideoPass::length_of(int64_t ticks) const {
  const double length = static_cast<double>(ticks) * av_q2d(stream_->time_base);
  if (ticks > 0 && length <= kLongestFrame) return length;
  const double fps = rate_of(stream_);
  return fps > 0 ? 1 / fps : 0.04;
}

void VideoPass::send(const AVPacket* packet) {
  if (fields_ && packet) fields_->sent(packet);
  int result = avcodec_send_packet(codec_.get(), packet);
  if (result == AVERROR(EAGAIN)) {
    receive_all();
    result = avcodec_send_packet(codec_.get(), packet);
  }
  if (result < 0 && result != AVERROR_EOF) ++undecodable_;
  receive_all();
}

void VideoPass::receive_all() {
  for (;;) {
    const int result = avcodec_receive_frame(codec_.get(), frame_.get());
    if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
    if (result < 0) {
      ++undecodable_;
      return;
    }
    ++decoded_;
    receive(frame_.get());
  }
}

void VideoPass::receive(AVFrame* frame) {
  const auto clock = [&](int64_t pts) { return input_.seconds(stream_, pts) + clock_shift_; };
  double begin = 0;
  if (frame->pts != AV_NOPTS_VALUE && held_begin_ && clock(frame->pts) > *held_begin_ &&
      clock(frame->pts) <= *held_begin_ + kPlainPause) {
    begin = clock(frame->pts);  // FFmpeg's guess leaves it for good after one wrong time
  } else if (frame->best_effort_timestamp != AV_NOPTS_VALUE) {
    begin = clock(frame->best_effort_timestamp);
  } else if (held_begin_) {
    begin = *held_begin_ + length_of(held_->pkt_duration);  // a stream without times: evenly spaced
  }
  if (ahead_begin_) {
    if (begin > *ahead_begin_) {
      hold(ahead_.get(), *ahead_begin_);
    } else {
      ++misplaced_;  // the film goes on before it
    }
    ahead_begin_.reset();
  }
  if (held_begin_ && (begin <= *held_begin_ || begin > *held_begin_ + kLongestFrame)) {
    ++misplaced_;
    if (++misplaced_in_a_row_ < kMisplacedInARow) return;
    const double continued =
        *held_begin_ + misplaced_in_a_row_ * length_of(held_->pkt_duration);  // beside the sound
    input_.note(vmr::detail::concat("the picture's time stamps jump from ", *held_begin_, " s to ",
                                    begin, " s; taken as continuous"));
    --misplaced_;  // this one is shown
    clock_shift_ += continued - begin;
    begin = continued;
  }
  misplaced_in_a_row_ = 0;
  if (held_begin_ && begin > *held_begin_ + kPlainPause) {
    av_frame_unref(ahead_.get());
    av_frame_move_ref(ahead_.get(), frame);
    ahead_begin_ = begin;
  } else {
    hold(frame, begin);
  }
}

void VideoPass::hold(AVFrame* frame, double begin) {
  if (held_begin_) show_held(begin, false);
  av_frame_unref(held_.get());
  av_frame_move_ref(held_.get(), frame);
  held_begin_ = begin;
}

void VideoPass::show_held(double end, bool last) {
  if (wants_motion_) {
    auto field = fields_->of(held_.get(), *held_begin_, end);
    if (plan_.on_motion) {
      wants_motion_ = plan_.on_motion(std::move(field));
    } else {
      motion_.push_back(std::move(field));
    }
  }
  sink_.deliver(held_.get(), *held_begin_, end, scheduler_.offer(*held_begin_, end, last));
}

// Skipping: a group is all packets from one fresh start to the next. Its frame times are known from
// its packets, so the scheduler decides first, and only what its choice depends on is decoded.

void VideoPass::gather(const AVPacket* packet) {
  const PacketKind kind = kinds_.of(packet);
  const bool key = packet->flags & AV_PKT_FLAG_KEY;
  group_bytes_ += packet->size;
  if (packet->pts == AV_NOPTS_VALUE || (key && !kind.fresh_start) || changes_decoder(packet) ||
      (group_.empty() && !kind.fresh_start) || group_bytes_ > kLargestGroupBytes ||
      (packet->flags & AV_PKT_FLAG_CORRUPT)) {
    throw NeedsFullDecode();
  }
  if (kind.fresh_start && !group_.empty()) {
    decode_group(false, packet->pts);
    group_bytes_ = packet->size;
  }
  PacketHandle copy(av_packet_clone(packet));
  if (!copy) throw std::bad_alloc();
  group_.push_back({std::move(copy), kind});
}

std::map<int64_t, VideoPass::Wanted> VideoPass::wanted_of_group(bool last, int64_t next_pts) {
  std::vector<const AVPacket*> shown;
  for (const Pending& pending : group_) {
    if (!(pending.packet->flags & AV_PKT_FLAG_DISCARD)) shown.push_back(pending.packet.get());
  }
  std::sort(shown.begin(), shown.end(),
            [](const AVPacket* a, const AVPacket* b) { return a->pts < b->pts; });
  std::map<int64_t, Wanted> wanted;
  for (size_t i = 0; i < shown.size(); ++i) {
    const bool final_frame = last && i + 1 == shown.size();
    const int64_t next = i + 1 < shown.size() ? shown[i + 1]->pts : next_pts;
    const double begin = input_.seconds(stream_, shown[i]->pts);
    const double end =
        final_frame ? begin + length_of(shown[i]->duration) : input_.seconds(stream_, next);
    if (end <= begin || end > begin + kPlainPause || begin < shown_until_) {
      throw NeedsFullDecode();
    }
    if (i + 1 == shown.size()) shown_until_ = end;
    auto takes = scheduler_.offer(begin, end, final_frame);
    if (!takes.empty()) wanted[shown[i]->pts] = {begin, end, std::move(takes)};
  }
  return wanted;
}

void VideoPass::decode_group(bool last, int64_t next_pts) {
  auto wanted = wanted_of_group(last, next_pts);
  size_t end = 0;  // after the last wanted packet
  for (size_t i = 0; i < group_.size(); ++i) {
    if (wanted.count(group_[i].packet->pts)) end = i + 1;
  }
  const auto take_frames = [&] {
    for (;;) {
      const int result = avcodec_receive_frame(codec_.get(), frame_.get());
      if (result == AVERROR(EAGAIN) || result == AVERROR_EOF) return;
      if (result < 0 || frame_->decode_error_flags) throw NeedsFullDecode();
      ++decoded_;
      const auto found = wanted.find(frame_->best_effort_timestamp);
      if (found == wanted.end()) continue;
      sink_.deliver(frame_.get(), found->second.begin, found->second.end, found->second.takes);
      wanted.erase(found);
    }
  };
  for (size_t i = 0; i < end; ++i) {
    const AVPacket* packet = group_[i].packet.get();
    if (group_[i].kind.unreferenced && !wanted.count(packet->pts)) continue;
    int result = avcodec_send_packet(codec_.get(), packet);
    if (result == AVERROR(EAGAIN)) {
      take_frames();
      result = avcodec_send_packet(codec_.get(), packet);
    }
    if (result < 0) throw NeedsFullDecode();
    take_frames();
  }
  if (end > 0) {
    avcodec_send_packet(codec_.get(), nullptr);
    take_frames();
    avcodec_flush_buffers(codec_.get());
  }
  if (!wanted.empty()) throw NeedsFullDecode();
  group_.clear();
}

}  // namespace vmr::media::detail
