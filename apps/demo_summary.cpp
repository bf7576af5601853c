#include "demo_summary.h"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/synth/hidden_state.h"

namespace vmr::apps {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// 48 tracks teach encoders the moods a little, but no matching.
void check_small(const json& summary, std::vector<ItemFailure>& failures) {
  const double audio = summary.at("pretrain_audio").at("accuracy");
  const double video = summary.at("pretrain_video").at("accuracy");
  const double chance = 1.0 / synth::kMoods;
  std::cout << "encoder accuracy " << audio << " (music), " << video << " (film), chance " << chance
            << "\n";
  if (audio + video < 2 * 1.5 * chance) {
    failures.push_back({"pretrain", "the encoders' accuracy is near chance"});
  }
  const auto& ceiling = summary.at("evaluation").at("ceiling").at("video_to_music");
  const auto& recall = ceiling.at("recall").at("5");
  if (recall.at("value").get<double>() < 2 * recall.at("chance").get<double>()) {
    failures.push_back({"ceiling", "the hidden truth does not find its own films"});
  }
}

void check_recall(const json& summary, std::vector<ItemFailure>& failures) {
  for (const char* direction : {"video_to_music", "music_to_video"}) {
    const auto& part = summary.at("evaluation").at(direction);
    const auto& recall = part.at("recall").at("5");
    const double value = recall.at("value"), low = recall.at("low"), chance = recall.at("chance");
    std::cout << direction << ": Recall@5 " << value << " [" << low << ", "
              << recall.at("high").get<double>() << "], chance " << chance << ", gallery "
              << part.at("gallery") << "\n";
    if (value < 2.5 * chance || low < 1.5 * chance) {
      failures.push_back(
          {direction, "Recall@5 is below 2.5 times chance or its interval below 1.5 times"});
    }
    if (part.at("gallery").get<int64_t>() < 80) {
      failures.push_back({direction, "the gallery is smaller than 80"});
    }
  }
}

}  // namespace

void write_demo_summary(const fs::path& path, const json& summary) {
  std::ofstream out(path);
  out << summary.dump(2) << "\n";
  out.close();
  if (!out) throw StoreError("demo: cannot write " + path.string());
}

void print_demo_summary(const json& summary, const fs::path& out) {
  const auto& evaluation = summary.at("evaluation");
  const bool small = summary.at("small");
  std::cout << "\nIndependent embeddings on held-out tracks"
            << (small ? ", to show the format: 48 tracks teach no matching, so near chance" : "")
            << "\n"
            << eval::evaluation_table(evaluation);
  if (evaluation.contains("ceiling")) {
    std::cout << "\nCeiling: what the hidden truth itself would reach\n"
              << eval::evaluation_table(evaluation.at("ceiling"));
  }
  std::cout << "\nThe film " << summary.at("match").at("film").get<std::string>()
            << " was never seen in training. "
            << (small ? "Best tracks of a model that has learnt no matching:\n" : "Best tracks:\n");
  int rank = 0;
  for (const auto& hit : summary.at("match").at("hits")) {
    std::cout << "  " << ++rank << ". " << hit.at("id").get<std::string>() << "  "
              << hit.at("metadata").value("title", "") << "  "
              << hit.at("metadata").value("tags", json::array()).dump() << "  score "
              << hit.at("score").get<double>() << "\n";
    if (rank == 5) break;
  }
  std::cout << "\nSeconds:";
  for (const auto& stage : summary.at("stages")) {
    std::cout << " " << stage.at("stage").get<std::string>() << " "
              << int(stage.at("seconds").get<double>() + 0.5) << ",";
  }
  std::cout << " together " << int(summary.at("seconds").get<double>() + 0.5) << "\n"
            << "Look at " << (out / "report.html").string() << ", play "
            << (out / "preview.mp4").string() << ", all figures are in "
            << (out / "summary.json").string() << "\n";
}

int check_demo(const fs::path& folder) {
  const auto summary = read_json_file((folder / "summary.json").string());
  std::vector<ItemFailure> failures;
  for (const char* name : {"report.html", "preview.mp4"}) {
    if (!fs::exists(folder / name) || fs::file_size(folder / name) < 10000) {
      failures.push_back({name, "missing or empty"});
    }
  }
  if (summary.at("small").get<bool>()) {
    check_small(summary, failures);
  } else {
    check_recall(summary, failures);
  }
  return report_failures(failures, 0);
}

}  // namespace vmr::apps
