// A temporary folder that goes with the test, tracks with known values, and child processes.
#pragma once

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>

#include "vmr/core/error.h"
#include "vmr/store/feature_store.h"

namespace vmr::store {

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "vmr-store-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::filesystem::path store() const { return folder_ / "store"; }

  // Rows of 10 values on a grid of 0.5 s; value of row r, column c is start + 10 r + c.
  static FeatureTrack track(float start, int64_t rows = 4, const std::string& version = "1") {
    return {(at::arange(rows * 10) + start).reshape({rows, 10}).to(at::kFloat),
            RowTimes::regular(rows, 0.25, 0.5, 1.0),
            {"fbank", version, R"({"mels":10})", "", "media"}};
  }
  static FeatureKey key(const std::string& id, const std::string& feature = "fbank") {
    return {feature, "music", id};
  }
  std::unique_ptr<FeatureStore> writer(int index = 0, int count = 1) const {
    return FeatureStore::open(store(), {.writable = true,
                                        .shard_index = index,
                                        .shard_count = count,
                                        .sync = false,
                                        .initial_map_bytes = 1 << 20});
  }
  std::unique_ptr<FeatureStore> reader() const { return FeatureStore::open(store()); }

  std::filesystem::path folder_;
};

// Runs body in a forked child, whose exit status is 0, or 9 after an exception (printed).
inline pid_t fork_child(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  try {
    body();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "child: %s\n", error.what());
    ::_exit(9);
  }
  ::_exit(0);
}

inline int wait_child(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

inline std::string read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::remove(path);  // overwriting in place makes ext4 flush to the disk
  std::ofstream(path, std::ios::binary) << bytes;
}

// What a statement's Error says; "" where it throws none.
inline std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace vmr::store
