#include "bench_report.h"

#include <array>
#include <cstdio>
#include <iostream>

#include "vmr/core/error.h"

namespace vmr::apps {

using nlohmann::json;

namespace {

constexpr size_t kFewFigures = 2;

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
    Side side{item.at("items_per_second"), item.value("peer", ""), {}};
    for (const auto& [key, value] : item.items()) {
      if (key.starts_with("figure:")) side.figures[key.substr(7)] = value;
    }
    const auto keep = [&](Side& best) {
      if (side.rate > best.rate) best = side;
    };
    keep(ours ? entry.ours : entry.peer);
    if (!ours) keep(entry.peers[side.tool]);
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
    for (const auto& [tool, side] : entry.peers) {
      if (!side.figures.empty())
        row["tools"][tool] = {{"rate", side.rate}, {"figures", side.figures}};
    }
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
      if (figures.size() > kFewFigures && name != "F") continue;  // print_quality has them
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

namespace {

struct Column {
  std::string name;
  double rate = 0;
  std::map<std::string, double> figures;
};

// Our ways and the peers, of all rows about the same work.
std::map<std::string, std::vector<Column>> columns_of(const json& rows) {
  std::map<std::string, std::vector<Column>> works;
  std::map<std::string, std::map<std::string, Column>> peers;
  for (const auto& row : rows) {
    const auto name = row["case"].get<std::string>();
    const auto comma = name.find(", ");
    if (comma == std::string::npos || row.value("figures", json::object()).size() <= kFewFigures)
      continue;
    Column ours{name.substr(comma + 2), row["ours"], {}};
    for (const auto& [figure, sides] : row["figures"].items())
      if (sides.contains("ours")) ours.figures[figure] = sides["ours"];
    works[name.substr(0, comma)].push_back(ours);
    const auto tools = row.value("tools", json::object());
    for (const auto& [tool, side] : tools.items())
      peers[name.substr(0, comma)][tool] = {tool, side["rate"], side["figures"]};
  }
  for (auto& [work, columns] : works)
    for (const auto& [tool, column] : peers[work]) columns.push_back(column);
  return works;
}

void print_columns(const std::vector<Column>& columns) {
  std::printf("| %-26s | %10s |", "", "rate");
  const auto& first = columns.front().figures;
  std::string rule = "| -------------------------- | ---------: |";
  for (const auto& [figure, value] : first) {
    if (figure.find(':') != std::string::npos) continue;
    std::printf(" %7s |", figure.c_str());
    rule += " ------: |";
  }
  std::printf("\n%s\n", rule.c_str());
  for (const auto& column : columns) {
    std::printf("| %-26s | %10.1f |", column.name.c_str(), column.rate);
    for (const auto& [figure, value] : first) {
      if (figure.find(':') != std::string::npos) continue;
      const auto found = column.figures.find(figure);
      std::printf(" %7s |", found == column.figures.end() ? "" : fixed(found->second, 3).c_str());
    }
    std::printf("\n");
  }
}

void print_tags(const std::vector<Column>& columns) {
  std::printf("\n| %-20s |", "F by tag");
  std::string rule = "| -------------------- |";
  for (const auto& column : columns) {
    std::printf(" %-14.14s |", column.name.c_str());
    rule += " -------------: |";
  }
  std::printf("\n%s\n", rule.c_str());
  for (const auto& [figure, unused] : columns.front().figures) {
    if (!figure.starts_with("F:")) continue;
    std::printf("| %-20s |", figure.substr(2).c_str());
    for (const auto& column : columns) {
      const auto found = column.figures.find(figure);
      std::printf(" %14s |", found == column.figures.end() ? "" : fixed(found->second, 3).c_str());
    }
    std::printf("\n");
  }
}

}  // namespace

void print_quality(const json& rows) {
  for (const auto& [work, columns] : columns_of(rows)) {
    std::printf("\n%s\n\n", work.c_str());
    print_columns(columns);
    print_tags(columns);
  }
}

}  // namespace vmr::apps
