// Small published folders in a temporary place, and the full-size one where a machine has it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/built_with.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"

#define VMR_NEEDS(built, name) \
  if (!vmr::detail::built) GTEST_SKIP() << "built without " name

namespace vmr::test {

class ModelFolder {
 public:
  const std::filesystem::path& path() const { return folder_.path(); }

  void write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((path() / name).parent_path());
    std::ofstream(path() / name, std::ios::binary) << text;
  }
  void write(const std::string& name, const nlohmann::json& json) const {
    write(name, json.dump());
  }
  void copy(const std::filesystem::path& file) const {
    std::filesystem::copy_file(file, path() / file.filename(),
                               std::filesystem::copy_options::overwrite_existing);
  }
  void remove(const std::string& name) const { std::filesystem::remove(path() / name); }

 private:
  TempFolder folder_;
};

inline std::filesystem::path golden_path(const std::string& name) {
  return std::filesystem::path(VMR_TEST_DATA) / "text" / name;
}

inline nlohmann::json golden_json(const std::string& name) {
  std::ifstream in(golden_path(name));
  EXPECT_TRUE(in) << name;
  return nlohmann::json::parse(in);
}

// The 200 sentences in ten languages, then the texts of ids.json that try the rules.
inline std::vector<std::string> golden_texts() {
  std::ifstream in(golden_path("sentences.txt"));
  std::vector<std::string> texts;
  for (std::string line; std::getline(in, line);) texts.push_back(line);
  const auto document = golden_json("unigram/ids.json");
  for (const auto& text : document.at("hard")) texts.push_back(text);
  return texts;
}

// VMR_WEIGHTS_DIR/<name>, or what ./dev test put under .deps; empty where neither is there.
inline std::filesystem::path find_weights(const std::string& name, const std::string& installed) {
  const char* given = std::getenv("VMR_WEIGHTS_DIR");
  const std::filesystem::path places[] = {
      given == nullptr ? "" : std::filesystem::path(given) / name,
      std::filesystem::path(VMR_TEST_DATA) / "../../.deps/models" / installed};
  for (const auto& place : places) {
    if (!place.empty() && std::filesystem::exists(place / "config.json")) return place;
  }
  return {};
}

// The message of the error that `call` throws; "" where it throws none of that type.
template <typename Exception, typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Exception& error) {
    return error.what();
  }
  return "";
}

}  // namespace vmr::test
