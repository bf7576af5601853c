// A results table for people: Markdown and one self-contained HTML page.
#include <set>

#include "pipeline/number_text.h"
#include "vmr/pipeline/svg_plot.h"
#include "vmr/pipeline/table.h"

namespace vmr::pipeline {
namespace {

using nlohmann::json;

std::string percent(const json& value) {
  return value.is_number() ? number_text(100 * value.get<double>(), 1) : "-";
}

std::string number(const json& value, int digits) {
  return value.is_number() ? number_text(value.get<double>(), digits) : "-";
}

std::set<int> ranks_of(const json& table) {
  std::set<int> ranks;
  for (const auto& row : table.at("rows")) {
    for (const auto& [k, entry] : row.at("recall").items()) ranks.insert(std::stoi(k));
  }
  return ranks;
}

std::string title_of(const std::string& direction) {
  return direction == "video_to_music" ? "Video to music" : "Music to video";
}

const json& recall_at(const json& row, int k) {
  static const json none;
  const auto& recall = row.at("recall");
  const auto found = recall.find(std::to_string(k));
  return found == recall.end() ? none : *found;
}

std::string cell(const json& entry) {
  if (entry.is_null()) return "-";
  return percent(entry.at("mean")) + " [" + percent(entry.at("low")) + ", " +
         percent(entry.at("high")) + "]";
}

std::vector<std::string> directions_of(const json& table) {
  std::vector<std::string> directions;
  for (const auto& row : table.at("rows")) {
    const std::string direction = row.at("direction");
    if (directions.empty() || directions.back() != direction) directions.push_back(direction);
  }
  return directions;
}

// Recall@10 of the direction's systems as bars from low to high with a mark at the mean, all on one
// scale that begins at 0.
std::string bars(const json& table, const std::string& direction) {
  double largest = 0.01;
  std::vector<const json*> rows;
  for (const auto& row : table.at("rows")) {
    if (row.at("direction") != direction) continue;
    rows.push_back(&row);
    const auto& high = row.at("recall").at("10").at("high");
    largest = std::max(
        largest, high.is_number() ? high.get<double>() : row["recall"]["10"]["mean"].get<double>());
  }
  const int left = 190, width = 620, step = 30, height = step * int(rows.size()) + 36;
  const auto x = [&](double value) { return std::to_string(left + int(width * value / largest)); };
  std::string svg = "<svg viewBox=\"0 0 860 " + std::to_string(height) +
                    "\" role=\"img\" aria-label=\"Recall at 10\">\n";
  for (const double tick : nice_ticks(0, largest, 5)) {
    if (tick > largest) continue;
    svg += "<line class=\"grid\" x1=\"" + x(tick) + "\" x2=\"" + x(tick) + "\" y1=\"4\" y2=\"" +
           std::to_string(height - 28) + "\"/><text x=\"" + x(tick) + "\" y=\"" +
           std::to_string(height - 8) + "\" text-anchor=\"middle\">" + percent(json(tick)) +
           " %</text>\n";
  }
  int y = 18;
  for (const auto* row : rows) {
    const auto& entry = row->at("recall").at("10");
    const double mean = entry.at("mean"), chance = entry.at("chance");
    const double low = entry.at("low").is_number() ? entry.at("low").get<double>() : mean;
    const double high = entry.at("high").is_number() ? entry.at("high").get<double>() : mean;
    const std::string name =
        row->at("system").get<std::string>() + " " + row->at("setting").get<std::string>();
    const std::string centre = std::to_string(y);
    svg += "<text x=\"" + std::to_string(left - 10) + "\" y=\"" + std::to_string(y + 5) +
           "\" text-anchor=\"end\">" + escape_xml(name) + "</text><line class=\"bar\" x1=\"" +
           x(low) + "\" x2=\"" + x(high) + "\" y1=\"" + centre + "\" y2=\"" + centre +
           "\"/><circle cx=\"" + x(mean) + "\" cy=\"" + centre +
           "\" r=\"5\"/><line class=\"chance\" x1=\"" + x(chance) + "\" x2=\"" + x(chance) +
           "\" y1=\"" + std::to_string(y - 10) + "\" y2=\"" + std::to_string(y + 10) + "\"/>\n";
    y += step;
  }
  return svg + "</svg>\n";
}

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;"
    "color:#222}table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;"
    "border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}"
    "svg{width:100%;font-size:13px}.grid{stroke:#e5e5e5}.bar{stroke:#1f77b4;stroke-width:8;"
    "stroke-opacity:.35}circle{fill:#1f77b4}.chance{stroke:#c33;stroke-width:2}"
    ".holds{color:#176b2c;font-weight:600}.open{color:#777}";

std::string html_row(const std::vector<std::string>& cells, const char* tag) {
  std::string text = "<tr>";
  for (const auto& value : cells) {
    text += "<" + std::string(tag) + ">" + escape_xml(value) + "</" + tag + ">";
  }
  return text + "</tr>\n";
}

}  // namespace

std::string table_markdown(const json& table) {
  std::string text;
  for (const auto& direction : directions_of(table)) {
    text += "### " + title_of(direction) + "\n\n| system | setting |";
    std::string rule = "\n|---|---|";
    for (const int k : ranks_of(table)) {
      text += " R@" + std::to_string(k) + " % |";
      rule += "---|";
    }
    text += " mean log rank |" + rule + "---|\n";
    const json* last = nullptr;
    for (const auto& row : table.at("rows")) {
      if (row.at("direction") != direction) continue;
      last = &row;
      text += "| " + row.at("system").get<std::string>() + " | " +
              row.at("setting").get<std::string>() + " |";
      for (const int k : ranks_of(table)) text += " " + cell(recall_at(row, k)) + " |";
      text += " " + number(row.at("mean_log_rank").at("mean"), 3) + " |\n";
    }
    if (last != nullptr) {
      text += "| chance | |";
      for (const int k : ranks_of(table)) {
        const auto& entry = recall_at(*last, k);
        text += " " + (entry.is_null() ? std::string("-") : percent(entry.at("chance"))) + " |";
      }
      text += " |\n\n" + last->at("queries").dump() + " queries, gallery " +
              last->at("gallery").dump() + ", " + table.at("seeds").dump() +
              " seeds averaged; 95 % intervals by bootstrap over tracks.\n\n";
    }
  }
  text +=
      "### Claims\n\n| better | worse | direction | figure | difference | p | Holm | power | "
      "holds |\n|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& claim : table.at("comparisons")) {
    text += "| " + claim.at("better").get<std::string>() + " | " +
            claim.at("worse").get<std::string>() + " | " +
            title_of(claim.at("direction").get<std::string>()) + " | " +
            claim.at("figure").get<std::string>() + " | " + number(claim.at("difference"), 3) +
            " [" + number(claim.at("low"), 3) + ", " + number(claim.at("high"), 3) + "] | " +
            number(claim.at("p"), 4) + " | " + number(claim.at("adjusted_p"), 4) + " | " +
            number(claim.at("power"), 2) + " | " +
            (claim.at("holds").get<bool>() ? "yes" : "not shown") + " |\n";
  }
  return text;
}

std::string table_html(const json& table) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>"
      "Retrieval results</title><style>" +
      std::string(kStyle) + "</style></head><body><h1>Retrieval results</h1>\n";
  for (const auto& direction : directions_of(table)) {
    page += "<h2>" + title_of(direction) +
            "</h2>\n<p>Recall@10: mean over seeds, 95 % interval "
            "over tracks, chance in red.</p>\n" +
            bars(table, direction) + "<table>\n";
    std::vector<std::string> head = {"system"};
    for (const int k : ranks_of(table)) head.push_back("R@" + std::to_string(k) + " %");
    head.push_back("mean log rank");
    page += html_row(head, "th");
    for (const auto& row : table.at("rows")) {
      if (row.at("direction") != direction) continue;
      std::vector<std::string> cells = {row.at("system").get<std::string>() + " " +
                                        row.at("setting").get<std::string>()};
      for (const int k : ranks_of(table)) cells.push_back(cell(recall_at(row, k)));
      cells.push_back(number(row.at("mean_log_rank").at("mean"), 3));
      page += html_row(cells, "td");
    }
    page += "</table>\n";
  }
  page +=
      "<h2>Claims</h2>\n<table>\n" +
      html_row({"better than", "direction", "figure", "difference", "Holm p", "power", ""}, "th");
  for (const auto& claim : table.at("comparisons")) {
    const bool holds = claim.at("holds");
    page += "<tr><td>" +
            escape_xml(claim.at("better").get<std::string>() + " > " +
                       claim.at("worse").get<std::string>()) +
            "</td><td>" + title_of(claim.at("direction").get<std::string>()) + "</td><td>" +
            escape_xml(claim.at("figure").get<std::string>()) + "</td><td>" +
            number(claim.at("difference"), 3) + " [" + number(claim.at("low"), 3) + ", " +
            number(claim.at("high"), 3) + "]</td><td>" + number(claim.at("adjusted_p"), 4) +
            "</td><td>" + number(claim.at("power"), 2) + "</td><td class=\"" +
            (holds ? "holds\">holds" : "open\">not shown") + "</td></tr>\n";
  }
  return page + "</table></body></html>\n";
}

}  // namespace vmr::pipeline
