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

std::vector<const json*> rows_of(const json& table, const std::string& direction) {
  std::vector<const json*> rows;
  for (const auto& row : table.at("rows")) {
    if (row.at("direction") == direction) rows.push_back(&row);
  }
  return rows;
}

std::string name_of_row(const json& row) {
  return row.at("system").get<std::string>() + " " + row.at("setting").get<std::string>();
}

// Room for the longest name, whose characters are about 7.4 wide at the page's size.
int name_width(const std::vector<const json*>& rows) {
  size_t longest = 0;
  for (const auto* row : rows) longest = std::max(longest, name_of_row(*row).size());
  return std::min(400, 24 + int(7.4 * double(longest)));
}

// "holds" and its opposite are both findings; between them nothing was shown.
std::string verdict(const json& claim) {
  if (claim.at("holds").get<bool>()) return "holds";
  const bool reversed = claim.at("difference").get<double>() < 0 &&
                        claim.at("adjusted_p").get<double>() < kClaimLevel;
  return reversed ? "reversed" : "not shown";
}

// Recall as points of a per cent, as in the tables of systems; positive speaks for the claim.
std::string difference(const json& claim) {
  const bool recall = claim.at("figure") == "recall_10";
  const auto value = [&](const char* key) {
    const auto& entry = claim.at(key);
    if (!entry.is_number()) return std::string("-");
    const double plain = entry.get<double>();
    return recall ? number_text(100 * plain, 1) : number_text(plain, 3);
  };
  return value("difference") + " [" + value("low") + ", " + value("high") + "]";
}

std::string title_of_figure(const std::string& figure) {
  return figure == "recall_10" ? "Recall@10, points" : "mean log rank";
}

// "400 queries, gallery 200, 5 seeds averaged; ..."
std::string about(const json& table, const json& row) {
  std::string text = row.at("queries").dump() + " queries, gallery " + row.at("gallery").dump() +
                     ", " + table.at("seeds").dump() +
                     " seeds averaged; 95 % intervals by bootstrap over tracks.";
  if (const size_t count = table.value("left_out", json::array()).size(); count > 0) {
    text += " Left out by every system: " + std::to_string(count) + ", the first " +
            table.at("left_out")[0].at("id").get<std::string>() + " (" +
            table.at("left_out")[0].at("reason").get<std::string>() + ").";
  }
  return text;
}

// A line for each system whose ranks are not to be trusted as they stand.
std::vector<std::string> warnings(const std::vector<const json*>& rows) {
  std::vector<std::string> lines;
  for (const auto* row : rows) {
    if (const auto ties = row->value("tie_warning", ""); !ties.empty()) {
      lines.push_back(name_of_row(*row) + ": " + ties);
    }
    int64_t unknown = 0;
    for (const int64_t count : row->value("nan_scores", std::vector<int64_t>())) unknown += count;
    if (unknown > 0) {
      lines.push_back(name_of_row(*row) + ": " + std::to_string(unknown) +
                      " scores of all seeds are NaN and rank last");
    }
  }
  return lines;
}

// Recall@10 of the direction's systems as bars from low to high with a mark at the mean, all on one
// scale that begins at 0.
std::string bars(const json& table, const std::string& direction) {
  const auto rows = rows_of(table, direction);
  double largest = 0.01;
  for (const auto* row : rows) {
    const auto& entry = row->at("recall").at("10");
    const auto& high = entry.at("high");
    largest = std::max(largest, (high.is_number() ? high : entry.at("mean")).get<double>());
  }
  const int left = name_width(rows), right = 810, step = 30;
  const int width = right - left, height = step * int(rows.size()) + 54;
  const auto x = [&](double value) { return std::to_string(left + int(width * value / largest)); };
  std::string svg = "<svg viewBox=\"0 0 860 " + std::to_string(height) +
                    "\" role=\"img\" aria-label=\"Recall at 10\">\n";
  for (const double tick : nice_ticks(0, largest, 5)) {
    if (tick > largest) continue;
    svg += "<line class=\"grid\" x1=\"" + x(tick) + "\" x2=\"" + x(tick) + "\" y1=\"4\" y2=\"" +
           std::to_string(height - 46) + "\"/><text x=\"" + x(tick) + "\" y=\"" +
           std::to_string(height - 28) + "\" text-anchor=\"middle\">" +
           number_text(100 * tick, largest < 0.05 ? 1 : 0) + " %</text>\n";
  }
  svg += "<text x=\"" + std::to_string((left + right) / 2) + "\" y=\"" +
         std::to_string(height - 8) + "\" text-anchor=\"middle\">Recall@10</text>\n";
  int y = 18;
  for (const auto* row : rows) {
    const auto& entry = row->at("recall").at("10");
    const double mean = entry.at("mean"), chance = entry.at("chance");
    const double low = entry.at("low").is_number() ? entry.at("low").get<double>() : mean;
    const double high = entry.at("high").is_number() ? entry.at("high").get<double>() : mean;
    const std::string centre = std::to_string(y);
    svg += "<text x=\"" + std::to_string(left - 10) + "\" y=\"" + std::to_string(y + 5) +
           "\" text-anchor=\"end\">" + escape_xml(name_of_row(*row)) +
           "</text><line class=\"bar\" x1=\"" + x(low) + "\" x2=\"" + x(high) + "\" y1=\"" +
           centre + "\" y2=\"" + centre + "\"/><circle cx=\"" + x(mean) + "\" cy=\"" + centre +
           "\" r=\"5\"/><line class=\"chance\" x1=\"" + x(chance) + "\" x2=\"" + x(chance) +
           "\" y1=\"" + std::to_string(y - 10) + "\" y2=\"" + std::to_string(y + 10) + "\"/>\n";
    y += step;
  }
  return svg + "</svg>\n";
}

constexpr const char* kStyle =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;"
    "background:#fff;color:#222}div{overflow-x:auto}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .7em;white-space:nowrap;"
    "border-bottom:1px solid #ddd;text-align:right;font-variant-numeric:tabular-nums}"
    "td:first-child,th:first-child,td.word,th.word{text-align:left}.level td{color:#777}"
    "p{color:#555}svg{width:100%;font-size:13px}.grid{stroke:#e5e5e5}"
    ".bar{stroke:#1f77b4;stroke-width:8;stroke-opacity:.35}circle{fill:#1f77b4}"
    ".chance{stroke:#c33;stroke-width:2}"
    ".holds{color:#176b2c;font-weight:600}.reversed{color:#c33;font-weight:600}.open{color:#777}";

std::string html_row(const std::vector<std::string>& cells, const char* tag,
                     const char* attributes = "") {
  std::string text = "<tr" + std::string(attributes) + ">";
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
      text += " |\n\n" + about(table, *last) + "\n\n";
      for (const auto& line : warnings(rows_of(table, direction))) {
        text += "Warning: " + line + ".\n\n";
      }
    }
  }
  text +=
      "### Claims\n\n| better | worse | direction | figure | difference | p | Holm | power | "
      "verdict |\n|---|---|---|---|---|---|---|---|---|\n";
  for (const auto& claim : table.at("comparisons")) {
    text += "| " + claim.at("better").get<std::string>() + " | " +
            claim.at("worse").get<std::string>() + " | " +
            title_of(claim.at("direction").get<std::string>()) + " | " +
            title_of_figure(claim.at("figure")) + " | " + difference(claim) + " | " +
            number(claim.at("p"), 4) + " | " + number(claim.at("adjusted_p"), 4) + " | " +
            number(claim.at("power"), 2) + " | " + verdict(claim) + " |\n";
  }
  return text;
}

namespace {

std::string systems_html(const json& table, const std::string& direction) {
  const auto rows = rows_of(table, direction);
  const auto ks = ranks_of(table);
  std::vector<std::string> cells = {"system"};
  for (const int k : ks) cells.push_back("R@" + std::to_string(k) + " %");
  cells.push_back("mean log rank");
  std::string html = "<div><table>\n" + html_row(cells, "th");
  for (const auto* row : rows) {
    cells = {name_of_row(*row)};
    for (const int k : ks) cells.push_back(cell(recall_at(*row, k)));
    cells.push_back(number(row->at("mean_log_rank").at("mean"), 3));
    html += html_row(cells, "td");
  }
  // What the figures lie between; only a generated library knows its ceiling.
  const auto level = [&](const std::string& name, const json& recall, const char* key) {
    cells = {name};
    for (const int k : ks) {
      const auto entry = recall.find(std::to_string(k));
      cells.push_back(entry == recall.end() ? "-" : percent(entry->at(key)));
    }
    cells.push_back("");
    html += html_row(cells, "td", " class=\"level\"");
  };
  level("chance", rows.back()->at("recall"), "chance");
  if (table.contains("ceiling")) {
    level("ceiling: the hidden truth", table.at("ceiling").at(direction).at("recall"), "value");
  }
  html += "</table></div>\n<p>" + escape_xml(about(table, *rows.back())) + "</p>\n";
  for (const auto& line : warnings(rows)) {
    html += "<p class=\"reversed\">Warning: " + escape_xml(line) + ".</p>\n";
  }
  return html;
}

std::string claims_html(const json& table, const std::string& direction) {
  std::string html =
      "<div><table>\n<tr><th>better than</th><th class=\"word\">figure</th><th>difference</th>"
      "<th>Holm p</th><th>power</th><th class=\"word\">verdict</th></tr>\n";
  for (const auto& claim : table.at("comparisons")) {
    if (claim.at("direction") != direction) continue;
    const auto word = verdict(claim);
    html += "<tr><td>" +
            escape_xml(claim.at("better").get<std::string>() + " > " +
                       claim.at("worse").get<std::string>()) +
            "</td><td class=\"word\">" + title_of_figure(claim.at("figure")) + "</td><td>" +
            difference(claim) + "</td><td>" + number(claim.at("adjusted_p"), 4) + "</td><td>" +
            number(claim.at("power"), 2) + "</td><td class=\"word " +
            (word == "not shown" ? "open" : word) + "\">" + word + "</td></tr>\n";
  }
  return html + "</table></div>\n";
}

}  // namespace

std::string table_html(const json& table) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width\"><title>"
      "Retrieval results</title><style>" +
      std::string(kStyle) + "</style></head><body><h1>Retrieval results</h1>\n";
  for (const auto& direction : directions_of(table)) {
    page +=
        "<h2>" + title_of(direction) +
        "</h2>\n<p>Recall@10: mean over seeds, 95 % interval over tracks, chance in red.</p>\n" +
        bars(table, direction) + systems_html(table, direction);
  }
  page +=
      "<h2>Claims</h2>\n<p>A positive difference speaks for the claim. Paired over tracks, p by "
      "Holm over the claims of one figure and direction; below 0.05 a claim holds or is reversed. "
      "Power: how often the claim holds so in resamples of the tracks.</p>\n";
  for (const auto& direction : directions_of(table)) {
    page += "<h3>" + title_of(direction) + "</h3>\n" + claims_html(table, direction);
  }
  return page + "</body></html>\n";
}

}  // namespace vmr::pipeline
