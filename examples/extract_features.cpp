// All features a recipe asks for, of one song or film, from one decode:
// example_extract_features FILE film|music
#include <cstdio>
#include <sstream>
#include <string>

#include "vmr/core/error.h"
#include "vmr/pipeline/extraction.h"

int main(int argc, char** argv) {
  using namespace vmr;
  if (argc != 3) {
    std::fprintf(stderr, "usage: example_extract_features FILE film|music\n");
    return 2;
  }
  try {
    pipeline::ExtractRecipe recipe;
    recipe.fbank.emplace();    // log-mel filter banks of 4 s clips
    recipe.rhythm.emplace();   // beats, strength and interval of each clip
    recipe.grey_clips = true;  // grey frames of 4 s clips
    recipe.flow.emplace();     // motion over time
    const auto tracks = argv[2] == std::string("film")
                            ? pipeline::extract_film(argv[1], recipe).tracks
                            : pipeline::extract_music(argv[1], recipe).tracks;
    for (const auto& [name, track] : tracks) {
      std::ostringstream shape;
      shape << track.values.sizes();
      std::printf("%-16s %-18s %lld rows, made by %s\n", name.c_str(), shape.str().c_str(),
                  static_cast<long long>(track.times.size()),
                  track.provenance.fingerprint().c_str());
    }
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
