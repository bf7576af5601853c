#include "bench_report.h"

#include <array>
#include <cstdio>
#include <iostream>

#include "vmr/core/error.h"

namespace vmr::apps {

using nlohmann::json;

namespace {

std::string fixed(double value, int digits) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

}  // namespace

void collect(const std::string& text, bool ours, Cases& cases) {
  const auto document = json::parse(text, nullptr, false);
  VMR_CHECK(document.is_object(), "bench: a program printed no JSON");
  for (const auto& item : document.at("benchmarks")) {
    auto name = item.at("name").get<std::string>();
    if (item.value("error_occurred", false)) {
      std::cerr << name << ": " << item.value("error_message", "") << "\n";
      continue;
    }
    const size_t mark = name.find("/threads:");
    const int threads = mark == std::string::npos ? 1 : std::atoi(name.c_str() + mark + 9);
    name = name.substr(0, mark) + "/" + std::to_string(threads);
    auto& entry = cases[name];
    entry.threads = threads;
    entry.unit = item.value("label", "");
    auto& side = ours ? entry.ours : entry.peer;
    const double rate = item.at("items_per_second");
    if (rate <= side.rate) continue;
    side = {rate, item.value("peer", ""), {}};
    for (const auto& [key, value] : item.items()) {
      if (key.starts_with("figure:")) side.figures[key.substr(7)] = value;
    }
  }
}

json rows_of(const std::string& topic, const Cases& cases) {
  auto rows = json::array();
  for (const auto& [name, entry] : cases) {
    if (entry.ours.rate == 0) continue;
    json row = {{"case", topic + ": " + name.substr(0, name.rfind('/'))},
                {"threads", entry.threads},
                {"unit", entry.unit},
                {"ours", entry.ours.rate},
                {"peer", nullptr},
                {"peer_value", nullptr},
                {"ratio", nullptr}};
    if (entry.peer.rate > 0) {
      row["peer"] = entry.peer.tool;
      row["peer_value"] = entry.peer.rate;
      row["ratio"] = entry.ours.rate / entry.peer.rate;
    }
    for (const auto& [figure, value] : entry.ours.figures) row["figures"][figure]["ours"] = value;
    for (const auto& [figure, value] : entry.peer.figures) row["figures"][figure]["peer"] = value;
    rows.push_back(row);
  }
  return rows;
}

void print_table(const json& rows) {
  constexpr const char* kLine = "| %-44s | %3s | %12s | %-12s | %12s | %-26s | %7s | %s |\n";
  const auto dashes = [](size_t count) { return std::string(count, '-'); };
  std::printf(kLine, "case", "thr", "ours", "unit", "peer", "peer's name", "ratio", "quality");
  std::printf(kLine, dashes(44).c_str(), "--:", "-----------:", dashes(12).c_str(),
              "-----------:", dashes(26).c_str(), "------:", "---");
  for (const auto& row : rows) {
    const bool alone = row["peer"].is_null();
    std::string quality;
    const auto& figures = row.value("figures", json::object());
    for (const auto& [name, sides] : figures.items()) {
      quality += name + " " + fixed(sides.value("ours", 0.0), 3);
      if (sides.contains("peer")) quality += ", peer " + fixed(sides["peer"], 3);
    }
    std::printf(kLine, row["case"].get<std::string>().c_str(),
                std::to_string(row["threads"].get<int>()).c_str(), fixed(row["ours"], 2).c_str(),
                row["unit"].get<std::string>().c_str(),
                alone ? "" : fixed(row["peer_value"], 2).c_str(),
                alone ? "" : row["peer"].get<std::string>().c_str(),
                alone ? "" : fixed(row["ratio"], 2).c_str(), quality.c_str());
  }
}

}  // namespace vmr::apps
