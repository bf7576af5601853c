// Which track fits a film and from where, the best one's beats for an editor, and the beats of
// sound that is still coming in: example_fit_film FILM STORE MARKERS.edl MUSIC...
#include <cstdio>
#include <string>

#include "vmr/audio/beat_stream.h"
#include "vmr/core/error.h"
#include "vmr/media/audio_blocks.h"
#include "vmr/pipeline/fit.h"
#include "vmr/pipeline/markers.h"
#include "vmr/store/feature_store.h"

using namespace vmr;

void write_markers(const std::string& out, const pipeline::FilmAnalysis& film,
                   const retrieval::TrackRhythm& track, const retrieval::Synchronisation& fit) {
  pipeline::MarkerMoments moments{track.beats_seconds, track.down_beats_seconds};
  for (const auto& cut : pipeline::film_rhythm(film).cuts)
    moments.cuts_seconds.push_back(cut.seconds);
  const pipeline::MusicPlacement place{fit.offset_seconds, fit.stretch, film.duration_seconds};
  pipeline::write_markers(out, pipeline::place_markers(place, moments), place);
}

void listen(const std::filesystem::path& source) {
  audio::BeatStream stream({.rate_hz = 16000, .latency_seconds = 0.2});
  const auto print = [](const std::vector<audio::StreamBeat>& beats) {
    for (const auto& beat : beats)
      std::printf("beat %.2f s, %.0f BPM\n", beat.seconds, beat.tempo_bpm);
  };
  // A sound card hands over blocks in the same way, of any length.
  media::read_audio_blocks(source, {.rate_hz = 16000}, [&](const at::Tensor& block) {
    print(stream.push(block[0].contiguous()));
    return true;
  });
  print(stream.flush());
}

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "usage: example_fit_film FILM STORE MARKERS.edl MUSIC...\n");
    return 2;
  }
  try {
    const auto music = pipeline::analyse_music({argv + 4, argv + argc}, argv[2]);  // once
    const auto film = pipeline::analyse_film_rhythm(argv[1]);
    const auto hits = pipeline::fit(film, argv[2], music.tracks, {.top = 3});
    for (const auto& found : hits) {
      std::printf("%.1f  %s from %.2f s\n", found.hit.score,
                  pipeline::track_path(found.hit).filename().c_str(), found.fit.offset_seconds);
    }
    if (hits.empty()) return 3;
    const auto track = pipeline::track_rhythm(*store::FeatureStore::open(argv[2]), hits[0].hit.id);
    write_markers(argv[3], film, *track, hits[0].fit);
    listen(pipeline::track_path(hits[0].hit));
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
