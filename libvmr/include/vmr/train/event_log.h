// What happened in a run, for people and for TensorBoard: one JSON object a line in events.jsonl
// and the same scalars as TensorBoard records. A resumed run first drops what was logged after the
// checkpoint it resumes from, so no step stands twice. Not thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::train {

// CRC-32C (Castagnoli): of "123456789" it is 0xe3069283.
uint32_t crc32c(std::string_view bytes);

// A TensorBoard event file: records of u64 length, masked CRC-32C of the length's bytes, payload,
// masked CRC-32C of the payload, all little-endian; payloads are Event messages.
class ScalarFile {
 public:
  // Appends to the file or starts it. Records after the first with a step beyond `last_step`, and a
  // torn last record, are cut off. Throws: StoreError.
  ScalarFile(const std::filesystem::path& path, int64_t last_step);
  // One event with a value for each tag. Throws: StoreError.
  void write(int64_t step, double wall_seconds, const std::map<std::string, double>& values);

 private:
  void append(const std::string& payload);
  std::filesystem::path path_;
  std::ofstream file_;
};

struct EventLogOptions {
  bool tensorboard = true;
  int64_t last_step = -1;  // keep lines up to this step; -1 = start new
};

// events.jsonl and events.out.tfevents.libvmr of a run folder.
class EventLog {
 public:
  EventLog(const std::filesystem::path& run_folder, const EventLogOptions& options);
  // Writes {"event": kind, "time": unix seconds, "step": step, ...fields} as a line; `scalars` go
  // to TensorBoard under their names. Throws: StoreError.
  void write(const std::string& kind, int64_t step, nlohmann::json fields,
             const std::map<std::string, double>& scalars);

 private:
  std::filesystem::path path_;
  std::ofstream lines_;
  std::unique_ptr<ScalarFile> scalars_;
};

}  // namespace vmr::train
