#include "beat_tables.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>

#include "vmr/eval/bootstrap.h"

namespace vmr::bench {
namespace {

using Pieces = std::vector<const CheckedPiece*>;
using Value = std::function<double(const CheckedPiece&)>;

struct Mean {
  double value = 0, low = 0, high = 0;
};

Mean mean_of(const Pieces& pieces, const Value& value) {
  std::vector<double> values;
  std::vector<int64_t> clusters;
  for (const auto* piece : pieces) {
    clusters.push_back(int64_t(values.size()));
    values.push_back(value(*piece));
  }
  const auto mean = eval::cluster_bootstrap_mean(values, clusters);
  return {mean.value, mean.low, mean.high};
}

double count_of(const Pieces& pieces, const std::function<bool(const CheckedPiece&)>& is) {
  return double(std::count_if(pieces.begin(), pieces.end(), [&](auto* one) { return is(*one); }));
}

// In the order of their first pieces.
using Groups = std::vector<std::pair<std::string, Pieces>>;

Groups grouped(std::span<const CheckedPiece> pieces,
               const std::function<std::string(const CheckedPiece&)>& name) {
  Groups groups;
  for (const auto& piece : pieces) {
    const auto key = name(piece);
    auto group = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& other) { return other.first == key; });
    if (group == groups.end()) group = groups.insert(groups.end(), {key, {}});
    group->second.push_back(&piece);
  }
  return groups;
}

std::vector<CheckedPiece> only(std::span<const CheckedPiece> pieces, bool music) {
  std::vector<CheckedPiece> some;
  for (const auto& piece : pieces)
    if (piece.music == music) some.push_back(piece);
  return some;
}

std::string folder_of(const CheckedPiece& piece) { return piece.folder; }
std::string all(const CheckedPiece&) { return "all"; }

double minutes(const Pieces& pieces) {
  double seconds = 0;
  for (const auto* piece : pieces) seconds += piece->seconds;
  return seconds / 60;
}

void print_bins(const std::string& what, const std::vector<corpus::Trust>& pairs) {
  const auto result = corpus::reliability(pairs);
  std::printf("\n%s, %zu: expected calibration error %.3f (%.3f by chance alone), Brier %.3f\n\n",
              what.c_str(), pairs.size(), result.error, result.error_by_chance, result.brier);
  std::printf("| confidence | number | its mean | share right |\n|---|--:|--:|--:|\n");
  for (size_t i = 0; i < result.bins.size(); ++i) {
    const auto& bin = result.bins[i];
    if (bin.count == 0) continue;
    const auto interval = corpus::wilson(bin.right * bin.count, bin.count);
    std::printf("| %.1f to %.1f | %.0f | %.2f | %.2f [%.2f, %.2f] |\n", double(i) / 10,
                double(i + 1) / 10, bin.count, bin.confidence, bin.right, interval.low,
                interval.high);
  }
}

void print_invention(const std::string& name, const Pieces& pieces) {
  const auto share = mean_of(pieces, [](const auto& piece) { return 100 * piece.with_beats; });
  const double any = count_of(pieces, [](const auto& piece) { return piece.found_any; });
  const auto interval = corpus::wilson(any, double(pieces.size()));
  std::printf("| %s | %zu | %.0f | %.2f %% [%.2f, %.2f] | %.0f [%.0f, %.0f] %% |\n", name.c_str(),
              pieces.size(), minutes(pieces), share.value, share.low, share.high,
              100 * any / double(pieces.size()), 100 * interval.low, 100 * interval.high);
}

}  // namespace

void print_quality(std::span<const CheckedPiece> pieces) {
  const auto music = only(pieces, true);
  if (music.empty()) return;
  const std::array<std::pair<const char*, Value>, 8> columns{{
      {"F", [](const auto& piece) { return piece.scores.f_measure; }},
      {"CMLc", [](const auto& piece) { return piece.scores.correct_continuous; }},
      {"CMLt", [](const auto& piece) { return piece.scores.correct_total; }},
      {"AMLc", [](const auto& piece) { return piece.scores.any_continuous; }},
      {"AMLt", [](const auto& piece) { return piece.scores.any_total; }},
      {"information gain", [](const auto& piece) { return piece.scores.information_gain; }},
      {"tempo 1", [](const auto& piece) { return double(piece.tempo.accuracy_1); }},
      {"tempo 2", [](const auto& piece) { return double(piece.tempo.accuracy_2); }},
  }};
  std::printf("\n| music | pieces |");
  for (const auto& column : columns) std::printf(" %s |", column.first);
  std::printf(" down-beat F |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
  for (const auto& [folder, group] : grouped(music, folder_of)) {
    std::printf("| %s | %zu |", folder.c_str(), group.size());
    for (const auto& column : columns) {
      const auto mean = mean_of(group, column.second);
      std::printf(" %.3f [%.2f, %.2f] |", mean.value, mean.low, mean.high);
    }
    Pieces told;
    for (const auto* piece : group)
      if (piece->down_beat_f >= 0) told.push_back(piece);
    if (told.empty()) {
      std::printf(" - |\n");
    } else {
      const auto mean = mean_of(told, [](const auto& piece) { return piece.down_beat_f; });
      std::printf(" %.3f [%.2f, %.2f] |\n", mean.value, mean.low, mean.high);
    }
  }
}

void print_refusals(std::span<const CheckedPiece> pieces) {
  const auto music = only(pieces, true);
  if (music.empty()) return;
  std::printf("\n| music | pieces | minutes | time refused | pieces without a beat |\n");
  std::printf("|---|--:|--:|--:|--:|\n");
  const auto print = [](const std::string& name, const Pieces& group) {
    const auto share = mean_of(group, [](const auto& piece) { return 100 * piece.refused; });
    const double none = count_of(group, [](const auto& piece) { return !piece.found_any; });
    const auto interval = corpus::wilson(none, double(group.size()));
    std::printf("| %s | %zu | %.0f | %.2f %% [%.2f, %.2f] | %.0f of %zu [%.0f, %.0f] %% |\n",
                name.c_str(), group.size(), minutes(group), share.value, share.low, share.high,
                none, group.size(), 100 * interval.low, 100 * interval.high);
  };
  for (const auto& [folder, group] : grouped(music, folder_of)) print(folder, group);
  for (const auto& [name, group] : grouped(music, all)) print(name, group);
  std::printf("\nRefused for more than 2 %% of their time:\n");
  for (const auto& piece : music)
    if (piece.refused > 0.02)
      std::printf("- %s, %s: %.0f %%\n", piece.folder.c_str(), piece.name.c_str(),
                  100 * piece.refused);
}

void print_inventions(std::span<const CheckedPiece> pieces) {
  const auto sounds = only(pieces, false);
  if (sounds.empty()) return;
  std::printf("\n| sound without beats | pieces | minutes | time with beats | pieces with any |\n");
  std::printf("|---|--:|--:|--:|--:|\n");
  for (const auto& [folder, group] : grouped(sounds, folder_of)) print_invention(folder, group);
  const auto kinds =
      grouped(sounds, [](const auto& piece) { return piece.folder + ": " + piece.kind; });
  for (const auto& [kind, group] : kinds)
    if (count_of(group, [](const auto& piece) { return piece.found_any; }) > 0)
      print_invention(kind, group);
}

void print_reliability(std::span<const CheckedPiece> pieces) {
  const auto music = only(pieces, true);
  auto groups = grouped(music, folder_of);
  if (groups.size() > 1) groups.push_back({"all music", grouped(music, all).front().second});
  for (const auto& [folder, group] : groups) {
    std::vector<corpus::Trust> songs, beats;
    for (const auto* piece : group) {
      songs.push_back({piece->confidence, piece->scores.f_measure >= kRightF});
      beats.insert(beats.end(), piece->beats.begin(), piece->beats.end());
    }
    if (beats.empty()) {
      print_bins("Pieces of " + folder, songs);
    } else {
      print_bins("Beats of " + folder, beats);
    }
  }
}

}  // namespace vmr::bench
