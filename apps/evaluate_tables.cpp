#include "evaluate_tables.h"

#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

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

}  // namespace vmr::apps
