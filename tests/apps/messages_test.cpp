// Pins what the program says to a person who made a mistake or has a damaged file: what was wrong,
// once, without names of functions, and what to do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "apps/process.h"
#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/media/film_writer.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using test::run_vmr;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

int64_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

class Messages : public testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }
  // What `vmr extract` says of a manifest.
  test::ProcessResult extract(const std::string& manifest,
                              const std::vector<std::string>& more = {}) const {
    std::vector<std::string> command = {"extract", manifest,  "--recipe",
                                        "demo",    "--store", path("store")};
    command.insert(command.end(), more.begin(), more.end());
    return run_vmr(command);
  }

  test::TempFolder folder_;
};

TEST_F(Messages, AnUnknownCommandIsNamedWithTheNearest) {
  const auto foo = run_vmr({"zzzzzz"});
  EXPECT_EQ(foo.exit_code, 2);
  EXPECT_THAT(foo.error, AllOf(StartsWith("vmr: there is no command \"zzzzzz\" (commands: "),
                               HasSubstr("probe")));
  EXPECT_THAT(run_vmr({"macth"}).error, HasSubstr("did you mean \"match\"?"));
  EXPECT_THAT(run_vmr({"store", "chek"}).error, HasSubstr("did you mean \"check\"?"));
}

TEST_F(Messages, ARecipeCutShortIsTheNearestOne) {
  const auto manifest = write("m.jsonl", "");
  for (const char* name : {"demo_smal", "demo_smll"}) {
    const auto result = run_vmr({"extract", manifest, "--recipe", name, "--store", path("store")});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.error, HasSubstr("did you mean \"demo_small\"?")) << name;
  }
}

TEST_F(Messages, FilesAndFoldersThatAreMixedUpAreNamed) {
  const auto manifest = write("m.jsonl", R"({"id":"a","kind":"music","path":"a.wav"})");
  const auto expect = [&](const std::vector<std::string>& command, const std::string& why) {
    const auto result = run_vmr(command);
    EXPECT_EQ(result.exit_code, 3) << why;
    EXPECT_THAT(result.error, AllOf(StartsWith("vmr: "), HasSubstr(why)));
    EXPECT_EQ(lines(result.error), 1) << result.error;
  };
  expect({"extract", manifest, "--recipe", "demo", "--store", manifest},
         manifest + " is a file; a feature store is a folder");
  expect({"store", "stats", manifest}, manifest + " is a file");
  expect({"convert", path(""), path("w.safetensors")}, "it is a folder");
  expect({"evaluate", "--run", path("."), "--store", path("store")},
         path(".") + " is no run folder");
  expect({"synth", "--out", manifest + "/lib", "--tracks", "3"}, manifest + "/lib");
}

TEST_F(Messages, WhatIsNoManifestIsSaidInOneLine) {
  test::write_numbered_film(path("film.mp4"), 25);
  const auto film = extract(path("film.mp4"));
  EXPECT_EQ(film.exit_code, 2);
  EXPECT_THAT(film.error, HasSubstr(path("film.mp4") + " is no manifest"));
  EXPECT_EQ(lines(film.error), 1);
  const auto empty = extract(write("empty.jsonl", "\n"));
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_THAT(empty.error, HasSubstr("lists no items"));
  std::string text;
  for (int i = 0; i < 50; ++i) text += "{\"id\":\"\"}\n";
  const auto many = extract(write("many.jsonl", text));
  EXPECT_THAT(many.error, AllOf(HasSubstr("has 50 bad lines"), HasSubstr("and 40 more")));
  EXPECT_EQ(lines(many.error), 12);
  const auto pathless = extract(write("p.jsonl",
                                      "{\"id\":\"a\",\"kind\":\"music\",\"path\":\"a.wav\"}\n"
                                      "{\"id\":\"b\",\"kind\":\"music\"}\n"));
  EXPECT_EQ(pathless.exit_code, 2);
  EXPECT_THAT(pathless.error, HasSubstr("p.jsonl line 2: path: missing"));
  EXPECT_FALSE(fs::exists(path("store")));
}

TEST_F(Messages, StoppingAtTooManyFailuresIsSaid) {
  std::string text;
  for (const char id : {'a', 'b', 'c', 'd'}) {
    text += std::string("{\"id\":\"") + id + "\",\"kind\":\"music\",\"path\":\"no.wav\"}\n";
  }
  const auto result = extract(write("m.jsonl", text), {"--max-bad", "1", "--threads", "1"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("stopped: more than --max-bad 1 failed; 2 items not tried"));
}

TEST_F(Messages, NoFunctionIsNamedAndNoPathTwice) {
  const auto device = run_vmr({"beats", "x.wav", "--device", "tpu"});
  EXPECT_EQ(device.exit_code, 2);
  EXPECT_THAT(device.error, AllOf(HasSubstr("expected a device auto, cpu, cuda or cuda:N"),
                                  Not(HasSubstr("resolve_device"))));
  const auto probe = run_vmr({"probe", path("none.mp4")});
  EXPECT_EQ(probe.error,
            "failed: " + path("none.mp4") + ": cannot be opened: No such file or directory\n");
  const auto json = run_vmr({"extract", write("m.jsonl", ""), "--recipe",
                             write("r.json", "{\"extract\": {,}}"), "--store", path("store")});
  EXPECT_THAT(json.error, AllOf(HasSubstr("r.json: not JSON: line 1, column 14: unexpected ','"),
                                Not(HasSubstr("json.exception")), Not(HasSubstr("parsing"))));
}

TEST_F(Messages, AFileWithAProblemIsAWarningAndProbeFails) {
  test::write_square_film(path("film.mp4"), 100, 2, 1);
  EXPECT_EQ(run_vmr({"probe", path("film.mp4")}).exit_code, 0);
  const auto fast = run_vmr({"probe", path("film.mp4"), "--fast"});
  EXPECT_THAT(fast.out, Not(HasSubstr("key frame")));
  fs::resize_file(path("film.mp4"), fs::file_size(path("film.mp4")) * 3 / 4);
  const auto probe = run_vmr({"probe", path("film.mp4")});
  EXPECT_EQ(probe.exit_code, 1);
  EXPECT_THAT(probe.out, HasSubstr("problem: "));
  const std::vector<std::vector<std::string>> commands = {
      {"flow", path("film.mp4")},
      {"describe", path("film.mp4"), "--feature", "flow"},
      {"describe", path("film.mp4"), "--feature", "onset"},
      {"beats", path("film.mp4")}};
  for (const auto& command : commands) {
    const auto result = run_vmr(command);
    EXPECT_EQ(result.exit_code, 0) << command[0] << ": " << result.error;
    EXPECT_THAT(result.error, HasSubstr("warning: ")) << command[0];
  }
}

TEST_F(Messages, APlotThatCannotBeWrittenIsSaidBeforeTheWork) {
  media::write_audio(path("a.wav"), {test::click_track(120, 5, 16000).samples, 16000, 0});
  const auto nowhere = run_vmr({"beats", path("a.wav"), "--plot", path("no/b.svg")});
  EXPECT_EQ(nowhere.exit_code, 3);
  EXPECT_THAT(nowhere.error, HasSubstr("--plot " + path("no/b.svg") + " cannot be written"));
  EXPECT_EQ(nowhere.out, "");
  const auto folder = run_vmr({"beats", path("a.wav"), "--plot", path(".")});
  EXPECT_EQ(folder.exit_code, 3);
  EXPECT_THAT(folder.error, HasSubstr("it is a folder"));
  EXPECT_EQ(std::distance(fs::directory_iterator(path(".")), {}), 1);  // nothing left behind
}

}  // namespace
}  // namespace vmr
