// Pins the bytes of TensorBoard records by reading them back with an own parser, and that a resumed
// log holds every step once.
#include "vmr/train/event_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <sstream>

#include "train/toy_task.h"

namespace vmr::train {
namespace {

using ::testing::ElementsAre;
namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

template <typename T>
T take(std::string_view& bytes) {
  T value;
  EXPECT_GE(bytes.size(), sizeof(T));
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.remove_prefix(sizeof(T));
  return value;
}

uint64_t take_varint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    const auto byte = take<uint8_t>(bytes);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

struct Event {
  double wall = 0;
  int64_t step = -1;
  std::string version;
  std::map<std::string, float> values;
};

std::string_view take_bytes(std::string_view& bytes) {
  const auto length = take_varint(bytes);
  const auto part = bytes.substr(0, length);
  bytes.remove_prefix(length);
  return part;
}

Event parse_event(std::string_view payload) {
  Event event;
  while (!payload.empty()) {
    switch (take_varint(payload)) {
      case 1 << 3 | 1:
        event.wall = take<double>(payload);
        break;
      case 2 << 3 | 0:
        event.step = static_cast<int64_t>(take_varint(payload));
        break;
      case 3 << 3 | 2:
        event.version = take_bytes(payload);
        break;
      case 5 << 3 | 2: {
        auto summary = take_bytes(payload);
        while (!summary.empty()) {
          EXPECT_EQ(take_varint(summary), 1u << 3 | 2);
          auto value = take_bytes(summary);
          EXPECT_EQ(take_varint(value), 1u << 3 | 2);
          const std::string tag(take_bytes(value));
          EXPECT_EQ(take_varint(value), 2u << 3 | 5);
          event.values[tag] = take<float>(value);
          EXPECT_TRUE(value.empty());
        }
        break;
      }
      default:
        ADD_FAILURE() << "unknown field";
        return event;
    }
  }
  return event;
}

uint32_t masked(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

std::vector<Event> parse_file(const fs::path& path) {
  const std::string file = read(path);
  std::string_view bytes = file;
  std::vector<Event> events;
  while (!bytes.empty()) {
    const auto length_bytes = bytes.substr(0, 8);
    const auto length = take<uint64_t>(bytes);
    EXPECT_EQ(take<uint32_t>(bytes), masked(length_bytes));
    const auto payload = bytes.substr(0, length);
    bytes.remove_prefix(length);
    EXPECT_EQ(take<uint32_t>(bytes), masked(payload));
    events.push_back(parse_event(payload));
  }
  return events;
}

TEST(Crc32c, HasThePublishedCheckValues) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(ScalarFile, WritesRecordsThatParseBack) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "events.out.tfevents.x";
  {
    ScalarFile file(path, -1);
    file.write(3, 1000.5, {{"train/loss", 0.25}, {"valid/accuracy", -2}});
    file.write(300, 1001, {{"train/loss", 1e-3}});
  }
  const auto events = parse_file(path);
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].version, "brain.Event:2");
  EXPECT_EQ(events[1].step, 3);
  EXPECT_EQ(events[1].wall, 1000.5);
  EXPECT_EQ(events[1].values,
            (std::map<std::string, float>{{"train/loss", 0.25f}, {"valid/accuracy", -2.f}}));
  EXPECT_EQ(events[2].step, 300);
  EXPECT_EQ(events[2].values.at("train/loss"), 1e-3f);
}

TEST(ScalarFile, HasTheBytesTensorBoardReads) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "events.out.tfevents.x";
  { ScalarFile(path, -1).write(1, 2.0, {{"a", 1.0}}); }
  const std::string file = read(path);
  // length 23, crc | wall_time 2.0, step 1, summary{value{tag "a", simple_value 1.0}} | crc
  const std::string payload(
      "\x09\0\0\0\0\0\0\0\x40\x10\x01\x2a\x0a\x0a\x08\x0a\x01\x61\x15\0\0\x80\x3f", 23);
  const std::string record = file.substr(file.size() - 16 - payload.size());
  EXPECT_EQ(record.substr(0, 8), std::string("\x17\0\0\0\0\0\0\0", 8));
  EXPECT_EQ(record.substr(12, payload.size()), payload);
}

TEST(ScalarFile, DropsLaterStepsAndTornRecordsOnResume) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "events.out.tfevents.x";
  {
    ScalarFile file(path, -1);
    for (int64_t step = 1; step <= 6; ++step) file.write(step, 0, {{"a", 1.0 * step}});
  }
  { ScalarFile(path, 4).write(5, 0, {{"a", 50}}); }
  auto events = parse_file(path);
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[4].step, 4);
  EXPECT_EQ(events[5].values.at("a"), 50);
  fs::resize_file(path, fs::file_size(path) - 3);
  { ScalarFile(path, 100).write(6, 0, {{"a", 60}}); }
  events = parse_file(path);
  ASSERT_EQ(events.size(), 6u);
  EXPECT_EQ(events[5].step, 6);
}

TEST(EventLog, KeepsLinesUpToTheStepItResumesFrom) {
  const TemporaryFolder folder;
  {
    EventLog log(folder, {true, -1});
    for (int64_t step = 1; step <= 3; ++step) {
      log.write("step", step, {{"loss", 0.5 * static_cast<double>(step)}}, {{"loss", 1}});
    }
  }
  std::ofstream(folder.path() / "events.jsonl", std::ios::app) << R"({"event":"step","st)";
  {
    EventLog log(folder, {true, 2});
    log.write("step", 3, {{"loss", 9}}, {{"loss", 9}});
  }
  EXPECT_THAT(logged_steps(folder, "step"), ElementsAre(1, 2, 3));
  std::istringstream lines(read(folder.path() / "events.jsonl"));
  std::string line;
  std::getline(lines, line);
  auto event = nlohmann::json::parse(line);
  EXPECT_EQ(event["loss"], 0.5);
  EXPECT_GT(event["time"], 1.6e9);
  const auto events = parse_file(folder.path() / "events.out.tfevents.libvmr");
  ASSERT_EQ(events.size(), 4u);
  EXPECT_EQ(events[3].values.at("loss"), 9);
  { EventLog log(folder, {false, -1}); }
  EXPECT_TRUE(logged_steps(folder, "step").empty());
}

}  // namespace
}  // namespace vmr::train
