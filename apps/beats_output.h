// What vmr beats prints.
#pragma once

#include <string>

#include "vmr/audio/beat.h"

namespace vmr::apps {

// Tempo and beats on stdout, one beat a line or one JSON document. method: "tracker" and "stream"
// have confidence, bars and tempi as well.
void print_beats(const audio::BeatResult& result, const std::string& method, bool json);

}  // namespace vmr::apps
