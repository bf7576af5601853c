// Pins archives of frames: which members are pictures, their order, and that an archive made to do
// harm is refused before it does any.
#include "vmr/media/frame_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_folder.h"
#include "support/zip_bytes.h"
#include "vmr/core/error.h"
#include "vmr/core/version.h"

namespace vmr::media {
namespace {

using test::ZipMember;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

class FrameArchive : public testing::Test {
 protected:
  void SetUp() override {
    if (build_info().find("libzip yes") == std::string::npos) GTEST_SKIP() << "no libzip";
  }
  std::filesystem::path write(const std::string& bytes) {
    std::ofstream(folder_ / "film.zip", std::ios::binary) << bytes;
    return folder_ / "film.zip";
  }
  std::vector<std::string> names(const std::vector<ZipMember>& members,
                                 const FrameArchiveOptions& options = {}) {
    std::vector<std::string> result;
    for (const auto& picture : read_frame_archive(write(test::zip_bytes(members)), options)) {
      result.push_back(picture.name);
    }
    return result;
  }
  auto reading(const std::vector<ZipMember>& members, const FrameArchiveOptions& options = {}) {
    return [=, this] { names(members, options); };
  }
  static auto refused_with(const std::string& text) {
    return ThrowsMessage<MediaError>(testing::AllOf(HasSubstr("film.zip: "), HasSubstr(text)));
  }

  test::TempFolder folder_;
};

TEST_F(FrameArchive, GivesPicturesInTheOrderOfTheirNumbers) {
  const std::vector<ZipMember> members = {{"f/10.jpg", "ten"},  {"f/", ""},
                                          {"f/notes.txt", "x"}, {"f/2.JPG", "two"},
                                          {"f/02.png", "0"},    {"f/1.jpeg", "one"}};
  EXPECT_THAT(names(members), ElementsAre("f/1.jpeg", "f/2.JPG", "f/02.png", "f/10.jpg"));
  EXPECT_THAT(names(members, {.archive_order = true}),
              ElementsAre("f/10.jpg", "f/2.JPG", "f/02.png", "f/1.jpeg"));
  EXPECT_THAT(names(members, {.archive_order = true, .max_frames = 2}),
              ElementsAre("f/10.jpg", "f/2.JPG"));
  EXPECT_THAT(names(members, {.endings = {".jpg"}}), ElementsAre("f/2.JPG", "f/10.jpg"));
  EXPECT_THAT(names({{"a.txt", "x"}}), ElementsAre());
  EXPECT_EQ(read_frame_archive(write(test::zip_bytes(members)))[3].bytes, "ten");
}

TEST_F(FrameArchive, PassesOverTheForksOfMacArchives) {
  EXPECT_THAT(names({{"f/1.jpg", "x"},
                     {"__MACOSX/f/._1.jpg", "x"},
                     {"._2.jpg", "x"},
                     {"f/_.3.jpg", "x"},
                     {"._f/4.jpg", "x"}},
                    {.archive_order = true}),
              ElementsAre("f/1.jpg", "f/_.3.jpg", "._f/4.jpg"));
}

TEST_F(FrameArchive, Unpacks) {
  const std::string data(1000, 'x');
  const auto path = write(test::zip_bytes({{"a.jpg", test::deflate_stored(data), 8, 1000, data}}));
  EXPECT_EQ(read_frame_archive(path).front().bytes, data);
}

TEST_F(FrameArchive, RefusesNamesThatLeadOut) {
  for (const char* name :
       {"../a.jpg", "a/../../b.jpg", "/etc/a.jpg", "..\\a.jpg", "C:a.jpg", ".."}) {
    EXPECT_THAT(reading({{"ok.jpg", "x"}, {name, "x"}}), refused_with("leads out")) << name;
  }
  EXPECT_THAT(names({{"a..b/c...jpg", "x"}}), ElementsAre("a..b/c...jpg"));
}

TEST_F(FrameArchive, RefusesArchivesThatUnpackToTooMuch) {
  const std::string data(1000, 'x');
  const ZipMember large = {"a.jpg", test::deflate_stored(data), 8, 1000, data};
  EXPECT_THAT(reading({large}, {.max_picture_bytes = 999}),
              refused_with("a.jpg: expected a picture of at most 999 bytes, it unpacks to 1000"));
  auto second = large;
  second.name = "b.jpg";
  EXPECT_THAT(reading({large, second}, {.max_archive_bytes = 1999}),
              refused_with("they unpack to 2000"));
  EXPECT_THAT(names({large, second}, {.max_archive_bytes = 2000}), ElementsAre("a.jpg", "b.jpg"));
  EXPECT_THAT(reading({large, second}, {.max_members = 1}), refused_with("at most 1 members"));
  // A size of four thousand millions, in 1005 bytes.
  auto liar = large;
  liar.declared = 0xfffffffe;
  EXPECT_THAT(reading({liar}), refused_with("a.jpg"));
}

TEST_F(FrameArchive, RefusesMembersThatLie) {
  const std::string data(1000, 'x');
  ZipMember member = {"a.jpg", test::deflate_stored(data), 8, 10, data};
  EXPECT_THAT(reading({member}), refused_with("a.jpg: "));
  member.declared = 2000;
  EXPECT_THAT(reading({member}), refused_with("a.jpg: "));
  member.declared = 1000;
  member.unpacked = "other bytes";
  EXPECT_THAT(reading({member}), refused_with("a.jpg: "));
  EXPECT_THAT(reading({{"a.jpg", "secret", 0, -1, "", 1}}), refused_with("encrypted"));
}

TEST_F(FrameArchive, RefusesDamage) {
  const auto bytes = test::zip_bytes({{"a.jpg", std::string(100, 'x')}, {"b.jpg", "y"}});
  for (const size_t length : {size_t(10), bytes.size() / 2, bytes.size() - 1}) {
    EXPECT_THAT([&] { read_frame_archive(write(bytes.substr(0, length))); },
                refused_with("cannot be read as a zip archive"))
        << length;
  }
  EXPECT_THAT([&] { read_frame_archive(folder_ / "film.zip.none"); },
              testing::Throws<MediaError>());
  auto broken = bytes;
  broken[40] = 'z';
  EXPECT_THAT([&] { read_frame_archive(write(broken)); }, refused_with("a.jpg: "));
}

TEST(FrameArchiveOptions, AreChecked) {
  EXPECT_THAT([] { validate(FrameArchiveOptions{.max_frames = 0}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("max_frames = 0")));
  EXPECT_THAT([] { validate(FrameArchiveOptions{.endings = {}}); },
              ThrowsMessage<InvalidArgument>(HasSubstr("endings")));
  EXPECT_TRUE(is_frame_archive("a/b.zip"));
  EXPECT_TRUE(is_frame_archive("B.ZIP"));
  EXPECT_TRUE(is_frame_archive("c.Zip"));
  EXPECT_FALSE(is_frame_archive("zip"));
  if (build_info().find("libzip yes") != std::string::npos) return;
  EXPECT_THAT([] { read_frame_archive("a.zip"); },
              ThrowsMessage<NotBuilt>(HasSubstr("VMR_WITH_ZIP")));
}

}  // namespace
}  // namespace vmr::media
