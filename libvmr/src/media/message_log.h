// FFmpeg's messages of the calling thread, collected instead of printed. Internal to media.
#pragma once

#include <string>
#include <vector>

namespace vmr::media::detail {

// The errors FFmpeg reported, distinct ones, at most eight.
class MessageLog {
 public:
  void add(std::string line);
  // " (FFmpeg: moov atom not found)", or "".
  std::string in_brackets() const;

 private:
  std::vector<std::string> lines_;
};

// While alive, this thread's messages go to `log` and nothing is printed. A local variable, so that
// scopes nest: the innermost one collects.
class CollectMessages {
 public:
  explicit CollectMessages(MessageLog& log);
  ~CollectMessages();
  CollectMessages(const CollectMessages&) = delete;
  CollectMessages& operator=(const CollectMessages&) = delete;

 private:
  MessageLog* outer_;
};

// The log_level_offset of every codec and resampler: what they say outside of a scope (on threads
// of their own, or while they are freed) stays silent. Far from the offsets up to 127 by which
// FLAC's parser marks what it says about places that only look like a packet.
inline constexpr int kSilentLogOffset = 1024;

}  // namespace vmr::media::detail
