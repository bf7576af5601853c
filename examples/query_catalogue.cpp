// The music that fits a film: example_query_catalogue film.mp4 index
#include <cstdio>
#include <string>

#include "vmr/core/error.h"
#include "vmr/pipeline/matcher.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: example_query_catalogue FILM INDEX\n");
    return 2;
  }
  try {
    const auto matcher = vmr::pipeline::Matcher::open(argv[2]);
    const auto film = matcher->analyse(argv[1]);
    for (const auto& hit : matcher->match(film, {.top = 5})) {
      std::printf("%.3f  %s  %s\n", hit.score, hit.id.c_str(),
                  hit.metadata.value("path", std::string()).c_str());
    }
  } catch (const vmr::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 3;
  }
}
