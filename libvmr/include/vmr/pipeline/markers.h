// Moments of a film and of the music under it, as files that editors read: beats and sections of
// the track in film time, the film's cuts, and where the track begins. Plain values and functions;
// thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmr/pipeline/timecode.h"

namespace vmr::pipeline {

enum class MarkerKind { start, end, cut, section, down_beat, beat };

// "start", "end", "cut", "section", "down_beat", "beat".
std::string_view to_string(MarkerKind kind);

struct Marker {
  std::string name;  // for people: "bar 3"
  MarkerKind kind = MarkerKind::beat;
  double film_seconds = 0;
  double music_seconds = 0;  // what of the track is heard then; below 0: not yet begun
};

// How a track lies under a film, as media::PreviewOptions.
struct MusicPlacement {
  double offset_seconds = 0;  // position in the music at film time 0
  double stretch = 1;         // the music is played so many times as fast; above 0
  double film_duration_seconds = 0;
};

// (music_seconds - offset) / stretch, and back. Offset 10, stretch 1.25: the music's 15 s are
// heard at 4 s of the film.
double film_seconds(const MusicPlacement& placement, double music_seconds);
double music_seconds(const MusicPlacement& placement, double film_seconds);

// Each list rising. A down-beat stands in both lists or in its own alone.
struct MarkerMoments {
  std::vector<double> beats_seconds;       // of the music
  std::vector<double> down_beats_seconds;  // of the music
  std::vector<double> sections_seconds;    // of the music: where it changes
  std::vector<double> cuts_seconds;        // of the film: first frames of new shots
  std::optional<double> end_seconds;       // of the music, where its end is to be seen
};

// The moments that fall into [0, duration) of the film, and the start of the track: its beginning
// where that is heard, else film time 0. Its end is "music ends". Rising by film time, of equal
// times in the order of MarkerKind. Beats are numbered from 1 in the track, down-beats as "bar 1"
// on, cuts and sections too, those outside of the film counted. A beat within 1 ms of a down-beat
// is that down-beat. Throws: InvalidArgument for a placement out of range and times that are not
// finite.
std::vector<Marker> place_markers(const MusicPlacement& placement, const MarkerMoments& moments);

struct MarkerFileOptions {
  std::string title = "vmr";
  FrameRate rate;
  // Timecode of film time 0. Editors' timelines begin at one hour unless told otherwise.
  std::string start_timecode = "01:00:00:00";
};

// Throws: InvalidArgument unless `out` ends in .json, .csv, .edl or .txt, and for a start_timecode
// that the rate has not. For who wants to know before the work.
void validate_marker_file(const std::filesystem::path& out, const MarkerFileOptions& options);

// Writes aside and renames. The extension chooses the format:
// - .json: {"title", "frames_per_second", "drop_frame", "offset_seconds", "stretch",
//   "film_duration_seconds", "markers": [{"name", "kind", "film_seconds", "music_seconds",
//   "timecode"}]};
// - .csv (RFC 4180): name,kind,film_seconds,music_seconds,timecode; seconds with six decimals;
// - .edl (CMX 3600): an event of one frame for each frame that has markers, their names joined by
//   " + ", followed by a line `* LOC: timecode COLOUR name` (Media Composer's locators) and one
//   ` |C:ResolveColorX |M:name |D:1` (DaVinci Resolve: Timelines > Import > Timeline Markers from
//   EDL). start, end and cut are red, sections green, down-beats yellow, beats blue; of several on
//   a frame the first in this order names the colour;
// - .txt: label track of Audacity: film seconds twice and the name, between tabs.
// Throws: InvalidArgument, also for a film time below 0; StoreError where `out` cannot be written.
void write_markers(const std::filesystem::path& out, const std::vector<Marker>& markers,
                   const MusicPlacement& placement, const MarkerFileOptions& options = {});

}  // namespace vmr::pipeline
