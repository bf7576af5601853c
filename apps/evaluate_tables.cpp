#include "evaluate_tables.h"

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "shared.h"
#include "vmr/eval/evaluation_document.h"
#include "vmr/pipeline/variants.h"

namespace vmr::apps {
namespace {

using nlohmann::json;

std::string meaning(const std::string& protocol) {
  if (protocol == "tag_to_tag") return "tag to tag, ORACLE: uses the query's true tags";
  if (protocol == "video_to_tag") return "video to tag: tags near the query, then its scores";
  return "DAM: tags of the tag classifier, then the scores";
}

// "cosine, theta weight 0.6"
std::string scoring(const json& document) {
  auto text = document.at("distance").get<std::string>();
  if (document.contains("theta_weight"))
    text += ", theta weight " + document["theta_weight"].dump();
  return text;
}

void print_section(const std::string& title, const json& document) {
  std::cout << title << "\n" << eval::evaluation_table(document);
}

// `ranked`: what is ranked and by what.
void print_documents(const json& document, const std::string& ranked) {
  print_section("independent embeddings, " + ranked, document);
  if (!document.contains("joint")) return;
  const bool mean = document.at("joint").at("scoring") == "gallery_mean";
  std::cout << "\n";
  print_section(
      (mean ? "joint scores (film averaged over the gallery, as published), " : "joint scores, ") +
          ranked,
      document.at("joint"));
}

// The true item among some drawn at random.
void print_sampled(const json& document, const char* scored) {
  for (const auto& [direction, title] :
       {std::pair{"video_to_music", "video to music"}, {"music_to_video", "music to video"}}) {
    const auto& part = document.at(direction);
    std::cout << "\n"
              << scored << ", " << title << ": " << part.at("pairs") << " pairs, each among "
              << part.at("gallery").get<int64_t>() - 1 << " drawn at random ("
              << counted(document.at("repeats"), "draw") << ", deviation in brackets)\n";
    for (const auto& [k, recall] : part.at("recall").items()) {
      const auto& ndcg = part.at("ndcg").at(k);
      char line[120];
      std::snprintf(line, sizeof line,
                    "  k %3s  recall %5.1f %% (%.1f), chance %5.1f %%   NDCG %.3f (%.3f)\n",
                    k.c_str(), 100 * recall.at("value").get<double>(),
                    100 * recall.at("deviation").get<double>(),
                    100 * recall.at("chance").get<double>(), ndcg.at("value").get<double>(),
                    ndcg.at("deviation").get<double>());
      std::cout << line;
    }
  }
}

}  // namespace

void print_evaluation(const json& document) {
  const auto scored = " (" + scoring(document) + ")";
  print_documents(document,
                  "full gallery of split " + document.at("split").get<std::string>() + scored);
  const auto protocols = document.value("protocols", json::object());
  for (const auto& [name, part] : protocols.items()) {
    std::cout << "\n";
    print_documents(part, meaning(name) + scored);
  }
  if (document.contains("sampled_negatives")) {
    print_sampled(document["sampled_negatives"], "independent embeddings");
    const auto& joint = document["sampled_negatives"];
    if (joint.contains("joint")) print_sampled(joint["joint"], "joint scores");
  }
  if (document.contains("ceiling")) {
    std::cout << "\n";
    print_section("ceiling: the hidden truth itself", document.at("ceiling"));
  }
}

void print_variants(const json& document) {
  std::cout << "split " << document.at("split").get<std::string>() << " (" << scoring(document)
            << ")\n"
            << pipeline::variants_table(document);
}

int report_protocols(const json& document) {
  std::vector<ItemFailure> failures;
  for (const auto& failure : document.value("failures", json::array())) {
    failures.push_back({"protocol " + failure.at("protocol").get<std::string>(),
                        failure.at("reason").get<std::string>()});
  }
  return report_failures(failures, 1);
}

}  // namespace vmr::apps
