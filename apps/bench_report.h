// What `vmr bench` makes of the reports of benchmark programs and peers: cases, rows, a table.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace vmr::apps {

// The best of one side over all rounds.
struct Side {
  double rate = 0;  // units per second
  std::string tool;
  std::map<std::string, double> figures;  // quality beside the rate: F of beats
};

struct Case {
  Side ours, peer;                    // the fastest of the peers
  std::map<std::string, Side> peers;  // each of them, by tool
  std::string unit;
  int threads = 1;
};

using Cases = std::map<std::string, Case>;

// Both sides print Google Benchmark's JSON; a case is named "case/threads:N...", its rate is the
// counter items_per_second, its unit the label. Peers add "peer", the tool; of several tools the
// fastest counts. Counters "figure:<name>" are quality, "figure:<name>:<tag>" that of a part.
// Throws: InvalidArgument for a text that is no such report.
void collect(const std::string& text, bool ours, Cases& cases);

// [{"case","threads","unit","ours","peer","peer_value","ratio"}], ratio above 1: we are faster.
// Without a peer the last three are null; "figures" only where a case has some, and then "tools":
// {tool: {"rate", "figures"}} of each peer.
nlohmann::json rows_of(const std::string& topic, const Cases& cases);

// In Markdown, aligned so that it reads as a table on a terminal too.
void print_table(const nlohmann::json& rows);

// Tables of the quality of every tool, and of F by tag, for cases named "work, way of ours" that
// have more figures than the table above can hold. Nothing where there are none.
void print_quality(const nlohmann::json& rows);

}  // namespace vmr::apps
