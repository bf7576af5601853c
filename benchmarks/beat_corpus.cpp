// beat_corpus OUT_DIR [--split dev|random|check|none|noise|speech|silence] [--seed N] [--pieces N]
#include "support/corpus/beat_corpus.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

int main(int argc, char** argv) {
  using namespace vmr::corpus;
  CLI::App app("Renders music with exact beats: NAME.wav and NAME.json");
  std::string folder;
  CorpusOptions options;
  const std::map<std::string, Split> splits{{"dev", Split::dev},        {"random", Split::random},
                                            {"check", Split::check},    {"none", Split::none},
                                            {"noise", Split::noise},    {"speech", Split::speech},
                                            {"silence", Split::silence}};
  app.add_option("OUT_DIR", folder)->required();
  app.add_option("--split", options.split)->transform(CLI::CheckedTransformer(splits));
  app.add_option("--seed", options.seed);
  app.add_option("--pieces", options.pieces)->check(CLI::Range(1, 10000));
  CLI11_PARSE(app, argc, argv);
  try {
    std::cout << write_corpus(folder, options) << " pieces in " << folder << "\n";
  } catch (const std::exception& error) {
    std::cerr << "beat_corpus: " << error.what() << "\n";
    return 1;
  }
}
