#include "bench_case.h"

#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <memory>

#include "vmr/core/memory.h"

namespace vmr::bench {

void add(const Case& what, std::function<void()> work) {
  const auto warm = std::make_shared<bool>(false);
  const auto name = what.name + "/threads:" + std::to_string(what.threads);
  benchmark::RegisterBenchmark(name.c_str(),
                               [what, work, warm](benchmark::State& state) {
                                 at::set_num_threads(what.threads);
                                 if (!*warm) work();
                                 *warm = true;
                                 for (auto _ : state) work();
                                 state.SetLabel(what.unit);
                                 state.counters["items_per_second"] = benchmark::Counter(
                                     what.items, benchmark::Counter::kIsIterationInvariantRate);
                                 for (const auto& [figure, value] : what.figures)
                                   state.counters["figure:" + figure] = value;
                               })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->MinTime(what.seconds);
}

int run(int argc, char** argv) {
  keep_freed_memory();  // as the program does
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}

int64_t size_from_environment(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::atoll(text);
}

}  // namespace vmr::bench
