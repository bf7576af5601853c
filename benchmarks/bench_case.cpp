#include "bench_case.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <utility>

#include "vmr/core/memory.h"

namespace vmr::bench {
namespace {

double seconds_of(const std::function<void()>& work) {
  const auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

// Operations a second of one core in a product of matrices that fit its caches' blocking.
double core_rate() {
  static const double rate = [] {
    constexpr int64_t kSide = 1024;
    at::set_num_threads(1);
    const auto a = at::rand({kSide, kSide}), b = at::rand({kSide, kSide});
    auto c = at::mm(a, b);
    double best = 1e9;
    for (int turn = 0; turn < 8; ++turn) {
      best = std::min(best, seconds_of([&] { at::mm_out(c, a, b); }));
    }
    return 2.0 * kSide * kSide * kSide / best;
  }();
  return rate;
}

void run_case(benchmark::State& state, const Case& what, const std::function<void()>& work) {
  const double limit = what.operations > 0 ? core_rate() * what.threads : 0;
  at::set_num_threads(what.threads);
  const double seconds = seconds_of([&] {
    for (auto _ : state) work();
  });
  state.SetLabel(what.unit);
  state.counters["items_per_second"] =
      benchmark::Counter(what.items, benchmark::Counter::kIsIterationInvariantRate);
  for (const auto& [figure, value] : what.figures) state.counters["figure:" + figure] = value;
  if (limit > 0) {
    const double done = what.operations * what.items * double(state.iterations());
    state.counters["figure:share"] = done / seconds / limit;
  }
}

}  // namespace

void add(const Case& what, std::function<void()> work) {
  const auto name = what.name + "/threads:" + std::to_string(what.threads);
  const auto warm = std::make_shared<bool>(false);
  benchmark::RegisterBenchmark(name.c_str(),
                               [what, work, warm](benchmark::State& state) {
                                 at::set_num_threads(what.threads);
                                 if (!std::exchange(*warm, true)) work();
                                 run_case(state, what, work);
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
