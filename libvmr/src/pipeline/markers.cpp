#include "vmr/pipeline/markers.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

constexpr double kSameMoment = 1e-3;  // seconds

void check_finite(const std::vector<double>& seconds, const char* what) {
  for (const double value : seconds) {
    VMR_CHECK(std::isfinite(value), "place_markers: ", what, " has a time of ", value,
              " s, expected finite seconds");
  }
}

void validate(const MusicPlacement& placement) {
  VMR_CHECK(std::isfinite(placement.offset_seconds), "MusicPlacement: offset_seconds is ",
            placement.offset_seconds, ", expected finite seconds");
  VMR_CHECK(placement.stretch > 0 && std::isfinite(placement.stretch),
            "MusicPlacement: stretch is ", placement.stretch, ", expected above 0");
  VMR_CHECK(placement.film_duration_seconds >= 0 && std::isfinite(placement.film_duration_seconds),
            "MusicPlacement: film_duration_seconds is ", placement.film_duration_seconds,
            ", expected 0 or more");
}

bool among(const std::vector<double>& rising, double seconds) {
  const auto next = std::lower_bound(rising.begin(), rising.end(), seconds - kSameMoment);
  return next != rising.end() && *next <= seconds + kSameMoment;
}

std::string start_name(double music_seconds) {
  if (music_seconds <= 0) return "music begins";
  char text[64];
  std::snprintf(text, sizeof text, "music from %d:%06.3f", int(music_seconds / 60),
                std::fmod(music_seconds, 60));
  return text;
}

}  // namespace

std::string_view to_string(MarkerKind kind) {
  switch (kind) {
    case MarkerKind::start:
      return "start";
    case MarkerKind::end:
      return "end";
    case MarkerKind::cut:
      return "cut";
    case MarkerKind::section:
      return "section";
    case MarkerKind::down_beat:
      return "down_beat";
    case MarkerKind::beat:
      return "beat";
  }
  VMR_ASSERT(false, "unknown MarkerKind");
}

double film_seconds(const MusicPlacement& placement, double music_seconds) {
  return (music_seconds - placement.offset_seconds) / placement.stretch;
}

double music_seconds(const MusicPlacement& placement, double film_seconds) {
  return placement.offset_seconds + film_seconds * placement.stretch;
}

std::vector<Marker> place_markers(const MusicPlacement& placement, const MarkerMoments& moments) {
  validate(placement);
  std::vector<Marker> markers;
  const auto place = [&](MarkerKind kind, std::string name, double at) {
    if (at < 0 || at >= placement.film_duration_seconds) return;
    markers.push_back({std::move(name), kind, at, music_seconds(placement, at)});
  };
  const auto numbered = [&](MarkerKind kind, const char* name, const std::vector<double>& seconds,
                            const auto& to_film) {
    check_finite(seconds, name);
    for (size_t i = 0; i < seconds.size(); ++i) {
      place(kind, vmr::detail::concat(name, " ", i + 1), to_film(seconds[i]));
    }
  };
  const auto heard = [&](double seconds) { return film_seconds(placement, seconds); };
  const double start = std::max(heard(0), 0.0);
  place(MarkerKind::start, start_name(music_seconds(placement, start)), start);
  if (moments.end_seconds) {
    check_finite({*moments.end_seconds}, "end");
    place(MarkerKind::end, "music ends", heard(*moments.end_seconds));
  }
  numbered(MarkerKind::cut, "cut", moments.cuts_seconds, [](double seconds) { return seconds; });
  numbered(MarkerKind::section, "section", moments.sections_seconds, heard);
  numbered(MarkerKind::down_beat, "bar", moments.down_beats_seconds, heard);
  // Down-beats are counted and, since before the film's beginning, not placed again.
  numbered(MarkerKind::beat, "beat", moments.beats_seconds, [&](double seconds) {
    return among(moments.down_beats_seconds, seconds) ? -1 : heard(seconds);
  });
  std::stable_sort(markers.begin(), markers.end(), [](const Marker& a, const Marker& b) {
    return a.film_seconds < b.film_seconds;
  });
  return markers;
}

}  // namespace vmr::pipeline
