// Pins that a zip archive of pictures is a film: its clips have the pixels of its pictures in their
// order, and archives that cannot be used do not stop the others.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_folder.h"
#include "support/zip_bytes.h"
#include "vmr/core/error.h"
#include "vmr/core/version.h"
#include "vmr/pipeline/extraction.h"
#include "vmr/video/frame.h"
#include "vmr/video/picture.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::ThrowsMessage;

// Picture i is brighter from left to right, and as a whole the larger i is.
std::string picture(int64_t i) {
  const auto ramp = at::arange(96, at::kLong).view({1, 96, 1}) + 10 * i;
  return video::encode_jpeg(ramp.expand({80, 96, 3}).to(at::kByte).contiguous(), 95);
}

std::string archive(const std::vector<int64_t>& order) {
  std::vector<test::ZipMember> members;
  for (const auto i : order) {
    members.push_back({"film/" + std::to_string(i) + ".jpg", picture(i)});
  }
  return test::zip_bytes(members);
}

class ArchiveExtraction : public testing::Test {
 protected:
  void SetUp() override {
    if (build_info().find("libzip yes") == std::string::npos) GTEST_SKIP() << "no libzip";
    recipe_.height = 40;
    recipe_.width = 48;
    recipe_.grey_clips = true;
  }
  fs::path write(const std::string& name, const std::string& bytes) {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }
  at::Tensor grey_clips(const fs::path& path) {
    return extract_film(path, recipe_).tracks.front().second.values;
  }
  at::Tensor expected(const std::vector<int64_t>& order) {
    std::vector<at::Tensor> frames;
    for (const auto i : order) {
      frames.push_back(video::resize(video::decode_picture(picture(i)), 40, 48, recipe_.kernel));
    }
    return video::grey_clips(at::stack(frames));
  }
  test::TempFolder folder_;
  ExtractRecipe recipe_;
};

TEST_F(ArchiveExtraction, ClipsHaveThePicturesInTheirOrder) {
  const auto path = write("f.zip", archive({10, 2, 3, 1, 4, 5, 6}));
  const auto clips = grey_clips(path);
  EXPECT_TRUE(clips.equal(expected({1, 2, 3, 4, 5, 6, 10})));
  EXPECT_EQ(clips.sizes(), (at::IntArrayRef{2, 40, 4 * 48}));
  recipe_.archive_order = true;
  EXPECT_TRUE(grey_clips(path).equal(expected({10, 2, 3, 1, 4, 5, 6})));
  EXPECT_FALSE(grey_clips(path).equal(clips));
}

TEST_F(ArchiveExtraction, TheOrderIsPartOfTheProvenanceWhereItIsNotTheUsualOne) {
  const auto usual = planned_features("film", recipe_).front().second;
  EXPECT_EQ(usual.options.find("archive_order"), std::string::npos);
  recipe_.archive_order = true;
  EXPECT_NE(planned_features("film", recipe_).front().second.fingerprint(), usual.fingerprint());
}

TEST_F(ArchiveExtraction, SaysWhatIsWrongWithAnArchive) {
  const auto extracting = [&](const std::string& name, const std::string& bytes) {
    return [=, this] { extract_film(write(name, bytes), recipe_); };
  };
  const auto refused_with = [](const std::string& text) {
    return ThrowsMessage<MediaError>(HasSubstr(text));
  };
  EXPECT_THAT(extracting("empty.zip", test::zip_bytes({{"a.txt", "x"}})),
              refused_with("empty.zip: no JPEG or PNG pictures"));
  EXPECT_THAT(extracting("short.zip", archive({1, 2})),
              refused_with("short.zip: too short: 2 frames"));
  EXPECT_THAT(extracting("bad.zip", test::zip_bytes({{"a.jpg", "no picture"}})),
              refused_with("bad.zip: a.jpg: expected a JPEG or PNG"));
  recipe_.flow.emplace();
  EXPECT_THAT(extracting("flow.zip", archive({1, 2, 3})), refused_with("leave them out"));
}

TEST_F(ArchiveExtraction, ABadArchiveDoesNotStopTheOthers) {
  store::Manifest manifest;
  manifest.items.push_back(
      {"good", "film", write("good.zip", archive({1, 2, 3, 4})), "", {}, "", {}});
  const auto hostile = test::zip_bytes({{"../a.jpg", picture(1)}});
  manifest.items.push_back({"bad", "film", write("bad.zip", hostile), "", {}, "", {}});
  const auto summary = extract(manifest, folder_ / "store", recipe_);
  EXPECT_EQ(summary.extracted, 1);
  ASSERT_EQ(summary.failures.size(), 1u);
  EXPECT_EQ(summary.failures[0].id, "bad");
  EXPECT_THAT(summary.failures[0].reason, HasSubstr("leads out"));
}

}  // namespace
}  // namespace vmr::pipeline
