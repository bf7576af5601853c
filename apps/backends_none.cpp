#include "backends.h"

namespace vmr::apps {

audio::ExternalBeatTracker aubio_backend() { return {}; }

}  // namespace vmr::apps
