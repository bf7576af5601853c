// End to end, one 30 s film and its song: flow trajectory at 3 frames/s, grey clips of 1 frame/s
// 224 x 224, filter banks, beats; peer: the Python stack, one call after the other.
#include "bench_case.h"
#include "bench_media.h"
#include "vmr/core/parallel.h"
#include "vmr/pipeline/extraction.h"

int main(int argc, char** argv) {
  using namespace vmr;
  pipeline::ExtractRecipe recipe;
  recipe.fbank.emplace();
  recipe.beats.emplace();
  recipe.flow.emplace();
  recipe.grey_clips = true;
  auto fast = recipe;
  fast.flow->method = video::FlowMethod::dis_fast;
  const auto song = bench::song(0);
  for (const int height : {720, 360}) {
    for (const int gop : {12, 250}) {
      const auto film = bench::film(height, gop);
      const auto add = [&](const std::string& suffix, int threads, auto wanted) {
        bench::add({std::to_string(height) + "p gop " + std::to_string(gop) + suffix, threads,
                    "items/s", double(threads)},
                   [=] {
                     for_each_item(threads, threads, [&](int64_t) {
                       pipeline::extract_film(film, wanted);
                       pipeline::extract_music(song, wanted);
                     });
                   });
      };
      add("", 1, recipe);
      if (height == 720 && gop == 12) add("", 2, recipe);
      if (gop == 12) add(", dis_fast flow", 1, fast);
    }
  }
  return bench::run(argc, argv);
}
