// What is heard under a film in a preview: the music from its offset, stretched and faded, and the
// film's own sound where wanted. Made from front to back in blocks. Internal to media.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <stop_token>

#include "media/sound_filter.h"
#include "media/sound_stream.h"
#include "vmr/media/film_writer.h"

namespace vmr::media::detail {

// Music that is played `stretch` times as fast at its pitch.
class StretchedSound {
 public:
  // Begins at options.start_seconds of the file.
  StretchedSound(const char* function, const std::filesystem::path& path,
                 const AudioOptions& options, double stretch, std::stop_token stop);
  at::Tensor next();  // as SoundStream

 private:
  SoundStream stream_;
  std::optional<SoundFilter> filter_;  // none: as it is
  bool ended_ = false;
};

// Blocks of any length as blocks of the wanted length; silence after the end.
template <typename Source>
class SoundQueue {
 public:
  template <typename... Arguments>
  explicit SoundQueue(const Arguments&... arguments) : source_(arguments...) {}
  at::Tensor read(int64_t count);  // [2, count]

 private:
  Source source_;
  at::Tensor block_;
  int64_t left_ = 0;  // samples at the end of block_
  bool ended_ = false;
};

struct PreviewFiles {
  std::filesystem::path film, music;
  bool film_has_sound = false;
};

class PreviewSound {
 public:
  PreviewSound(const char* function, const PreviewFiles& files, int rate_hz, double seconds,
               const PreviewOptions& options, std::stop_token stop);

  int64_t samples() const { return total_; }  // in all
  // The next `count` samples [2, count], fewer at the end.
  at::Tensor next(int64_t count);

 private:
  void fade(at::Tensor& block) const;

  int64_t total_, silence_ = 0, fade_ = 0;  // samples
  bool fade_in_ = false;
  double film_gain_ = 0;
  SoundQueue<StretchedSound> music_;
  std::optional<SoundQueue<SoundStream>> film_;
  int64_t position_ = 0;
};

}  // namespace vmr::media::detail
