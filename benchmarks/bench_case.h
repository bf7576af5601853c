// A case of a benchmark: a name, a number of threads and work that gives a rate. Reported by Google
// Benchmark as "name/threads:N" with the counter items_per_second and the unit as label, which is
// what `vmr bench` compares with the peer's report of the same name.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

namespace vmr::bench {

struct Case {
  std::string name;      // the same in peers/bench_<topic>.py
  int threads = 1;       // of LibTorch; work that has threads of its own is told by the caller
  std::string unit;      // "pairs/s"
  double items = 1;      // units one call of `work` does
  double seconds = 0.5;  // measured at least; less than one call means one call
  std::map<std::string, double> figures;  // quality beside the rate: {"F", 0.95}
  // Floating-point operations of one item. Where given, the figure "share" says how much of the
  // rate of LibTorch's matrix product on as many cores they reach: the machine's practical limit.
  double operations = 0;
};

// Call before run(). `work` is called once unmeasured first.
void add(const Case& what, std::function<void()> work);

// main() of a benchmark program: Google Benchmark's flags, all cases.
int run(int argc, char** argv);

// An environment variable as a number: sizes beyond the default, for both sides.
int64_t size_from_environment(const char* name, int64_t fallback);

}  // namespace vmr::bench
