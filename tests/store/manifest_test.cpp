// Pins how a manifest is read (byte-order mark, line ends, relative and non-UTF-8 paths), that all
// its problems are listed at once with their lines, and that writing gives the same manifest back.
#include "vmr/store/manifest.h"

#include <algorithm>

#include "store_fixture.h"

namespace vmr::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ManifestTest : public StoreTest {
 protected:
  Manifest read(const std::string& text) {
    write_bytes(file("m.jsonl"), text);
    return read_manifest(file("m.jsonl"));
  }
};

TEST_F(ManifestTest, ReadsEveryFieldAndKeepsTheOthersAsText) {
  const auto manifest = read(
      R"({"id":"f1","kind":"film","path":"films/f1.mp4","track":"m1","tags":["calm","sea"],"split":"train","title":"T\u00e9","year":1999,"gain":-1.5,"live":true,"none":null})"
      "\n"
      R"({"id":"m1","kind":"music","path":"/abs/m1.flac"})"
      "\n");
  ASSERT_EQ(manifest.items.size(), 2u);
  const auto& film = manifest.items[0];
  EXPECT_EQ(film.path, file("films/f1.mp4"));
  EXPECT_EQ(film.track, "m1");
  EXPECT_THAT(film.tags, ElementsAre("calm", "sea"));
  EXPECT_EQ(film.split, "train");
  EXPECT_EQ(film.fields,
            (std::map<std::string, std::string>{
                {"gain", "-1.5"}, {"live", "true"}, {"title", "T\xc3\xa9"}, {"year", "1999"}}));
  EXPECT_EQ(manifest.items[1].path, "/abs/m1.flac");
  EXPECT_EQ(manifest.find("film", "f1"), &film);
  EXPECT_EQ(manifest.find("music", "f1"), nullptr);
  EXPECT_THAT(manifest.of("film", "train"), ElementsAre(&film));
  EXPECT_TRUE(manifest.of("film", "test").empty());
  EXPECT_EQ(manifest.of("music").size(), 1u);
}

TEST_F(ManifestTest, TakesByteOrderMarksWindowsLineEndsAndBlankLines) {
  const auto manifest = read(
      "\xef\xbb\xbf\r\n{\"id\":\"a\",\"kind\":\"music\"}\r\n  "
      "\t\r\n\n{\"id\":\"a\",\"kind\":\"film\"}");
  ASSERT_EQ(manifest.items.size(), 2u);
  EXPECT_EQ(manifest.items[1].kind, "film");
  EXPECT_TRUE(manifest.items[0].path.empty());
  EXPECT_TRUE(read("").items.empty());
}

TEST_F(ManifestTest, ListsEveryProblemWithItsLine) {
  const auto message = message_of([&] {
    read(
        "{\"id\":\"a\",\"kind\":\"music\"}\n"
        "\n"
        "{\"id\":\"a\",\"kind\":\n"
        "{\"kind\":\"music\"}\n"
        "{\"id\":\"b\",\"kind\":\"song\"}\n"
        "{\"id\":\"a\",\"kind\":\"music\"}\n"
        "{\"id\":\"f\",\"kind\":\"film\",\"track\":\"z\"}\n"
        "[1]\n"
        "{\"id\":\"g\",\"kind\":\"film\",\"tags\":\"calm\"}\n"
        "{\"id\":\"h\xe9\",\"kind\":\"film\"}\n"
        "{\"id\":\"i\",\"kind\":\"music\",\"track\":\"a\"}\n");
  });
  EXPECT_THAT(message, HasSubstr("m.jsonl has 9 bad lines:"));
  EXPECT_THAT(message, HasSubstr("m.jsonl line 3: not JSON"));
  EXPECT_THAT(message, HasSubstr("line 4: id: missing"));
  EXPECT_THAT(message, HasSubstr("line 5: kind: expected \"film\" or \"music\", got \"song\""));
  EXPECT_THAT(message, HasSubstr("line 6: id: music a is already on line 1"));
  EXPECT_THAT(message, HasSubstr("line 7: track: no music z"));
  EXPECT_THAT(message, HasSubstr("line 8: top level: expected an object"));
  EXPECT_THAT(message, HasSubstr("line 9: tags: expected a list of texts"));
  EXPECT_THAT(message, HasSubstr("line 10: id: not UTF-8"));
  EXPECT_THAT(message, HasSubstr("line 11: track: only films have one"));
  EXPECT_THAT(message, Not(HasSubstr("line 1:")));
  EXPECT_THROW(read_manifest(file("absent")), StoreError);
}

TEST_F(ManifestTest, ListsTenProblemsAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 25; ++i) text += "{\"kind\":\"music\"}\n";
  const auto message = message_of([&] { read(text); });
  EXPECT_THAT(message, HasSubstr("has 25 bad lines:"));
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 11);
  EXPECT_THAT(message, HasSubstr("line 10: id: missing"));
  EXPECT_THAT(message, HasSubstr("\nand 15 more"));
}

TEST_F(ManifestTest, AFileThatDoesNotBeginWithJsonIsNoManifest) {
  EXPECT_THAT(message_of([&] { read("ID3\n\x01\x02\n\n\xff\nx\n"); }),
              HasSubstr("m.jsonl is no manifest"));
  // One good line among the first makes it a manifest with bad lines.
  EXPECT_THAT(message_of([&] { read("x\ny\n{\"id\":\"a\",\"kind\":\"music\"}\n"); }),
              HasSubstr("has 2 bad lines"));
}

TEST_F(ManifestTest, WhoOpensTheFilesAsksForPaths) {
  write_bytes(file("m.jsonl"), "\n{\"id\":\"a\",\"kind\":\"music\"}\n");
  EXPECT_THAT(message_of([&] { read_manifest(file("m.jsonl"), {.require_paths = true}); }),
              HasSubstr("m.jsonl line 2: path: missing"));
}

TEST_F(ManifestTest, PathsMayBeAnyBytes) {
  const auto manifest =
      read("{\"id\":\"a\",\"kind\":\"music\",\"path\":\"caf\xe9 \xc3\xa9 \xed\xa0\x80.mp3\"}\n");
  EXPECT_EQ(manifest.items[0].path.string(), file("caf\xe9 \xc3\xa9 \xed\xa0\x80.mp3").string());
  write_manifest(manifest, file("out.jsonl"));
  EXPECT_EQ(read_manifest(file("out.jsonl")).items[0].path, manifest.items[0].path);
}

TEST_F(ManifestTest, GivesBackWhatWasWritten) {
  Manifest manifest;
  manifest.items.push_back(
      {"f", "film", file("sub/f.mp4"), "m", {"x", "y"}, "test", {{"title", "\"q\"\n"}}});
  manifest.items.push_back({"m", "music", "/elsewhere/m.flac", "", {}, "", {}});
  manifest.items.push_back({"n", "music", "", "", {}, "", {{"license", "CC0"}}});
  write_manifest(manifest, file("out.jsonl"));
  EXPECT_THAT(read_bytes(file("out.jsonl")), HasSubstr("\"path\":\"sub/f.mp4\""));
  const auto again = read_manifest(file("out.jsonl"));
  ASSERT_EQ(again.items.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    const auto &a = manifest.items[i], &b = again.items[i];
    EXPECT_EQ(std::tie(a.id, a.kind, a.path, a.track, a.tags, a.split, a.fields),
              std::tie(b.id, b.kind, b.path, b.track, b.tags, b.split, b.fields));
  }
  manifest.items[0].fields["path"] = "x";
  EXPECT_THROW(write_manifest(manifest, file("out.jsonl")), InvalidArgument);
}

TEST_F(ManifestTest, AMovedLibraryStaysReadable) {
  std::filesystem::create_directories(file("old/media"));
  Manifest manifest;
  manifest.items.push_back({"m", "music", file("old/media/m.flac"), "", {}, "", {}});
  write_manifest(manifest, file("old/m.jsonl"));
  std::filesystem::rename(file("old"), file("new"));
  EXPECT_EQ(read_manifest(file("new/m.jsonl")).items[0].path, file("new/media/m.flac"));
}

}  // namespace
}  // namespace vmr::store
