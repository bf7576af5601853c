// A folder that is removed afterwards and tracks whose vectors follow from their number.
#pragma once

#include <ATen/ops/empty.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "vmr/core/error.h"
#include "vmr/retrieval/catalogue.h"

namespace vmr::retrieval {

constexpr int64_t kDim = 6;

class CatalogueFolder : public testing::Test {
 protected:
  CatalogueFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "vmr_catalogue_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~CatalogueFolder() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder() const { return folder_ / "index"; }
  std::unique_ptr<Catalogue> create(int64_t vectors = 1) const {
    return Catalogue::create(folder(), {"space-a", kDim, vectors});
  }
  // The only file of the catalogue whose name starts so.
  std::filesystem::path file(const std::string& start) const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder()))
      if (entry.path().filename().string().starts_with(start)) found.push_back(entry.path());
    EXPECT_FALSE(found.empty()) << start;
    return *std::max_element(found.begin(), found.end());
  }

  std::filesystem::path folder_;
};

// Tracks first .. first+count-1: id "t<number>", vector d = (number * 7 + d * 5) mod 11 - 5.
inline CatalogueTracks tracks(int64_t first, int64_t count, int64_t vectors = 1) {
  CatalogueTracks result{.space = "space-a"};
  result.vectors = at::empty({count, vectors, kDim}, at::kFloat);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t number = first + i;
    for (int64_t d = 0; d < vectors * kDim; ++d)
      result.vectors.data_ptr<float>()[i * vectors * kDim + d] =
          static_cast<float>((number * 7 + d * 5) % 11) - 5;
    result.ids.push_back("t" + std::to_string(number));
    result.metadata.push_back({{"title", "Track " + std::to_string(number)},
                               {"bpm", 60 + number % 100},
                               {"tags", {number % 2 == 0 ? "calm" : "wild"}}});
  }
  return result;
}

inline at::Tensor query(int64_t vectors = 1) {
  at::Tensor result = at::empty({vectors, kDim}, at::kFloat);
  for (int64_t d = 0; d < vectors * kDim; ++d)
    result.data_ptr<float>()[d] = static_cast<float>(d * d % 7) - 2;
  return result;
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace vmr::retrieval
