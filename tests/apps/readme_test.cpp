// Pins that the README tells the truth: its folders exist, its C++ is the text of the example, and
// its commands are commands.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "apps/process.h"

namespace vmr {
namespace {

std::string file_text(const std::string& name) {
  std::ifstream in(std::filesystem::path(VMR_SOURCE_FOLDER) / name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::string without_spaces(std::string text) {
  std::erase_if(text, [](char c) { return c == ' ' || c == '\n'; });
  return text;
}

TEST(Readme, FoldersOfItsTableExist) {
  const auto readme = file_text("README.md");
  const auto table = readme.substr(readme.find("## Folders"));
  const std::regex row("\\n\\| `([^`]+)` \\|");
  int count = 0;
  for (std::sregex_iterator at(table.begin(), table.end(), row), end; at != end; ++at, ++count) {
    EXPECT_TRUE(
        std::filesystem::is_directory(std::filesystem::path(VMR_SOURCE_FOLDER) / (*at)[1].str()))
        << (*at)[1];
  }
  EXPECT_GE(count, 7);
}

TEST(Readme, ItsCodeIsTheExamples) {
  const auto readme = file_text("README.md");
  const auto begin = readme.find("```cpp\n") + 7;
  const auto code = readme.substr(begin, readme.find("```", begin) - begin);
  ASSERT_GT(code.size(), 100u);
  EXPECT_THAT(without_spaces(file_text("examples/query_catalogue.cpp")),
              testing::HasSubstr(without_spaces(code)));
}

TEST(Readme, ItsCommandsExist) {
  const auto readme = file_text("README.md");
  const std::regex command("\\| `vmr ([a-z]+)");
  int count = 0;
  for (std::sregex_iterator at(readme.begin(), readme.end(), command), end; at != end;
       ++at, ++count) {
    EXPECT_EQ(test::run_vmr({(*at)[1].str(), "--help"}).exit_code, 0) << (*at)[1];
  }
  EXPECT_GE(count, 14);
}

}  // namespace
}  // namespace vmr
