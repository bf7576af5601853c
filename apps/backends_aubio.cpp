#include "backends.h"
#include "vmr/audio_aubio/aubio_beat.h"

namespace vmr::apps {

audio::ExternalBeatTracker aubio_backend() { return audio::aubio_beat_tracker(); }

}  // namespace vmr::apps
