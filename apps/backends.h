// Libraries of other licences that this build of the program carries.
#pragma once

#include "vmr/audio/beat.h"

namespace vmr::apps {

// aubio's beat tracker (GPL-3); empty in a build without it.
audio::ExternalBeatTracker aubio_backend();

}  // namespace vmr::apps
