// Damaged, missing and unwritable files: an error that names the file, never a crash or a wrong
// answer.
#include <signal.h>
#include <sys/resource.h>

#include <functional>
#include <random>

#include "core/file_io.h"
#include "retrieval/catalogue_fixture.h"
#include "retrieval/mapped_file.h"

namespace vmr::retrieval {
namespace {

class CatalogueFault : public CatalogueFolder {
 protected:
  std::string error_on_opening() const {
    return message_of([&] { Catalogue::open(folder()); });
  }
  // Opening must fail naming the file.
  void expect_named(const std::filesystem::path& path) const {
    const std::string message = error_on_opening();
    EXPECT_NE(message.find(path.string()), std::string::npos) << message;
  }
};

TEST_F(CatalogueFault, AFlippedByteIsFoundWhereverItIs) {
  create()->add(tracks(0, 30));
  const auto path = file("segment-");
  const std::string good = detail::read_file(path);
  for (const size_t at : {size_t{0}, size_t{9}, size_t{20}, size_t{2000}, size_t{4096},
                          size_t{4500}, good.size() / 2, good.size() - 100, good.size() - 1}) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 4);
    write_text(path, bad);
    expect_named(path);
  }
  write_text(path, good);
  EXPECT_EQ(error_on_opening(), "no error");
}

TEST_F(CatalogueFault, WithoutVerifyingNoReadLeavesTheFile) {
  create()->add(tracks(0, 30));
  const auto path = file("segment-");
  const std::string good = detail::read_file(path);
  std::mt19937 random(1);
  int refused = 0;
  for (int i = 0; i < 400; ++i) {
    std::string bad = good;
    // The header or the tables behind the vectors.
    const size_t at = i % 2 == 0 ? random() % 48 : 4096 + 30 * kDim * 4 + random() % 600;
    bad[at] = static_cast<char>(random());
    write_text(path, bad);
    try {
      const auto catalogue = Catalogue::open(folder(), {.verify = false});
      catalogue->search(query());
      catalogue->find("t7");
      catalogue->list();
    } catch (const StoreError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 100);
}

TEST_F(CatalogueFault, TruncatedAndMissingFilesAreNamed) {
  create()->add(tracks(0, 30));
  const auto segment = file("segment-"), generation = file("generation-");
  const std::string good = detail::read_file(segment);
  for (const size_t size : {size_t{0}, size_t{100}, size_t{4096}, good.size() - 1}) {
    write_text(segment, good.substr(0, size));
    expect_named(segment);
  }
  std::filesystem::remove(segment);
  expect_named(segment);
  write_text(segment, good);
  const std::string record = detail::read_file(generation);
  write_text(generation, record.substr(0, record.size() / 2));
  expect_named(generation);
  std::filesystem::remove(generation);
  expect_named(generation);
  for (const char* text : {"", "generation", "../x y\n"}) {
    write_text(folder() / "CURRENT", text);
    expect_named(folder() / "CURRENT");
  }
  std::filesystem::remove(folder() / "CURRENT");
  EXPECT_NE(error_on_opening().find("there is none in"), std::string::npos);
  EXPECT_THROW(Catalogue::open(folder_ / "nowhere"), StoreError);
}

TEST_F(CatalogueFault, HostileRecordsAreRefused) {
  create()->add(tracks(0, 30));
  const auto generation = file("generation-");
  const std::string good = detail::read_file(generation);
  const auto rewrite = [&](const std::function<void(nlohmann::json&)>& change) {
    auto document = nlohmann::json::parse(good);
    change(document);
    const std::string text = document.dump();
    write_text(generation, text);
    write_text(folder() / "CURRENT",
               generation.filename().string() + " " +
                   checksum_of(reinterpret_cast<const std::byte*>(text.data()), text.size()) +
                   "\n");
  };
  const std::vector<std::function<void(nlohmann::json&)>> changes = {
      [](auto& d) { d["segments"][0]["file"] = "../../secret"; },
      [](auto& d) { d["segments"][0]["removed"] = {30}; },
      [](auto& d) { d["segments"][0]["removed"] = {-1}; },
      [](auto& d) { d["segments"] = 3; },
      [](auto& d) { d["space"]["dim"] = int64_t{1} << 62; },
      [](auto& d) { d["space"]["dim"] = 7; },
      [](auto& d) { d["format"] = "other"; },
      [](auto& d) { d.erase("space"); },
      [](auto& d) {
        d["attachments"]["../x"] = {{"hash", ""}, {"checksum", ""}, {"bytes", 0}};
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    rewrite(changes[i]);
    EXPECT_THROW(Catalogue::open(folder()), StoreError) << i;
  }
  rewrite([](auto& d) { d["version"] = 2; });
  EXPECT_NE(error_on_opening().find("version 2"), std::string::npos) << error_on_opening();
  rewrite([](auto&) {});
  EXPECT_EQ(error_on_opening(), "no error");
}

TEST_F(CatalogueFault, ChangedAttachmentsAreNamed) {
  const auto catalogue = create();
  catalogue->attach({{"recipe.json", {.bytes = "{}"}}});
  const auto path = *catalogue->attachment_path("recipe.json");
  write_text(path, "[]");
  expect_named(path);
  EXPECT_NO_THROW(Catalogue::open(folder(), {.verify = false}));
  std::filesystem::remove(path);
  expect_named(path);
}

TEST_F(CatalogueFault, LeftOversOfACrashAreIgnoredAndSwept) {
  auto catalogue = create();
  catalogue->add(tracks(0, 5));
  const std::vector<std::string> left = {"segment-000003-000.bin", "generation-000003.json",
                                         "CURRENT.part77", "attachments/000003/x"};
  std::filesystem::create_directories(folder() / "attachments/000003");
  for (const std::string& name : left) write_text(folder() / name, "half");
  EXPECT_EQ(Catalogue::open(folder())->stats().tracks, 5);
  catalogue->add(tracks(100, 50));  // the generation that was not finished
  catalogue->attach({{"a", {.bytes = "b"}}});
  EXPECT_EQ(Catalogue::open(folder())->stats().tracks, 55);
  EXPECT_FALSE(std::filesystem::exists(folder() / "CURRENT.part77"));
  EXPECT_FALSE(std::filesystem::exists(folder() / "attachments/000003"));
}

TEST_F(CatalogueFault, AFullDiskLeavesTheOldGeneration) {
  auto catalogue = create();
  catalogue->add(tracks(0, 5));
  const auto before = catalogue->search(query());
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto old_handler = signal(SIGXFSZ, SIG_IGN);
  for (const rlim_t limit : {rlim_t{0}, rlim_t{100}, rlim_t{5000}, rlim_t{30000}}) {
    const rlimit small{limit, old.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    const std::string message = message_of([&] { catalogue->add(tracks(100, 2000)); });
    setrlimit(RLIMIT_FSIZE, &old);
    EXPECT_NE(message.find("segment-"), std::string::npos) << message;
    EXPECT_EQ(catalogue->search(query()), before);
    EXPECT_EQ(Catalogue::open(folder())->search(query()), before);
  }
  signal(SIGXFSZ, old_handler);
  catalogue->add(tracks(100, 2000));
  EXPECT_EQ(catalogue->stats().tracks, 2005);
}

}  // namespace
}  // namespace vmr::retrieval
