// Pins the contract scripts rely on: documents on stdout, logs on stderr, exit codes, and errors of
// one clear line.
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <fstream>

#include "apps/process.h"
#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/media/film_writer.h"
#include "vmr/store/npy.h"

namespace vmr {
namespace {

namespace fs = std::filesystem;
using test::run_vmr;
using testing::AllOf;
using testing::HasSubstr;

void write_clicks(const fs::path& path, double bpm, double seconds) {
  media::write_audio(path, {test::click_track(bpm, seconds, 16000).samples, 16000, 0});
}

TEST(Program, HelpStatesCommandsAndExitCodes) {
  const auto help = run_vmr({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  for (const char* command :
       {"probe", "synth", "beats", "flow", "describe", "extract", "pretrain", "train", "embed",
        "evaluate", "index", "match", "fit", "store", "bench"}) {
    EXPECT_THAT(help.out, HasSubstr(command));
    EXPECT_EQ(run_vmr({command, "--help"}).exit_code, 0) << command;
  }
  EXPECT_THAT(help.out, HasSubstr("130 interrupted"));
  for (const char* command : {"extract", "table", "bench", "probe", "describe", "match"}) {
    EXPECT_THAT(run_vmr({command, "--help"}).out, HasSubstr("130 interrupted")) << command;
  }
  EXPECT_THAT(run_vmr({"--version"}).out, HasSubstr("LibTorch"));
}

TEST(Program, WrongUsageIsExitCode2) {
  EXPECT_EQ(run_vmr({}).exit_code, 2);
  EXPECT_EQ(run_vmr({"macth", "x"}).exit_code, 2);
  EXPECT_EQ(run_vmr({"match", "film.mp4"}).exit_code, 2);
  const auto device = run_vmr({"beats", "x.wav", "--method", "tracer"});
  EXPECT_EQ(device.exit_code, 2);
  EXPECT_THAT(device.error, HasSubstr("did you mean \"tracker\"?"));
}

TEST(Program, BeatsPrintsTempoAndSeconds) {
  test::TempFolder folder;
  write_clicks(folder / "clicks.wav", 120, 12);
  const auto result =
      run_vmr({"beats", folder / "clicks.wav", "--json", "--plot", folder / "b.svg"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto document = result.json();
  EXPECT_NEAR(document.at("tempo_bpm").get<double>(), 120, 3);
  EXPECT_EQ(document.at("method"), "tracker");
  const std::vector<double> beats = document.at("beats_seconds");
  ASSERT_GT(beats.size(), 15u);
  // Clicks lie at 0.25 + k/2; every beat is near one.
  for (const double beat : beats) {
    const double phase = std::fmod(beat - 0.25 + 10, 0.5);
    EXPECT_LT(std::min(phase, 0.5 - phase), 0.05) << beat;
  }
  EXPECT_TRUE(fs::exists(folder / "b.svg"));
}

TEST(Program, BeatsAreFoundWhileTheSoundComesIn) {
  test::TempFolder folder;
  const auto clicks = folder / "clicks.wav";
  write_clicks(clicks, 120, 16);
  const auto result = run_vmr(
      {"beats", clicks, "--stream", "--latency", "1", "--json", "--plot", folder / "b.svg"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto document = result.json();
  EXPECT_EQ(document.at("method"), "stream");
  EXPECT_NEAR(document.at("tempo_bpm").get<double>(), 120, 3);
  EXPECT_GT(document.at("beats_seconds").size(), 15u);
  EXPECT_TRUE(fs::exists(folder / "b.svg"));
  const auto late = run_vmr({"beats", "x.wav", "--stream", "--latency", "3"});
  EXPECT_EQ(late.exit_code, 2);
  EXPECT_THAT(late.error, HasSubstr("latency_seconds = 3"));
  EXPECT_EQ(run_vmr({"beats", "x.wav", "--latency", "1"}).exit_code, 2);
  EXPECT_EQ(run_vmr({"beats", "x.wav", "--stream", "--method", "aubio"}).exit_code, 2);
}

TEST(Program, BeatsAreWrittenAsMarkers) {
  test::TempFolder folder;
  const auto clicks = folder / "clicks.wav";
  write_clicks(clicks, 120, 12);
  const auto beats = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {"beats", clicks, "--json"};
    command.insert(command.end(), more.begin(), more.end());
    return run_vmr(command);
  };
  const auto json = beats({"--markers", folder / "m.json", "--fps", "29.97"});
  ASSERT_EQ(json.exit_code, 0) << json.error;
  const std::vector<double> seconds = json.json().at("beats_seconds");
  const auto file = nlohmann::json::parse(std::ifstream(folder / "m.json"));
  EXPECT_EQ(file.at("title"), "clicks.wav");
  EXPECT_EQ(file.at("drop_frame"), true);
  EXPECT_EQ(file.at("film_duration_seconds"), 12);
  ASSERT_EQ(file.at("markers").size(), seconds.size() + 1);
  EXPECT_EQ(file.at("markers")[0].at("timecode"), "01:00:00;00");
  EXPECT_EQ(file.at("markers")[3].at("music_seconds"), seconds[2]);
  EXPECT_EQ(beats({"--markers", folder / "m.edl", "--timecode-start", "00:00:00:00"}).exit_code, 0);
  std::string first;
  std::getline(std::ifstream(folder / "m.edl"), first);
  EXPECT_EQ(first, "TITLE: clicks.wav\r");
  // What is wrong is said before the work.
  const auto format = beats({"--markers", folder / "m.xml"});
  EXPECT_EQ(format.exit_code, 2);
  EXPECT_EQ(format.out, "");
  EXPECT_THAT(format.error, HasSubstr("ends in .json, .csv, .edl or .txt (Audacity), not in .xml"));
  EXPECT_EQ(beats({"--markers", folder / "m.edl", "--timecode-start", "1h"}).exit_code, 2);
  EXPECT_THAT(beats({"--fps", "24.5"}).error, HasSubstr("expected 23.976, 24, 25, 29.97"));
}

TEST(Program, FlowPrintsATimeForEachMagnitude) {
  test::TempFolder folder;
  test::write_square_film(folder / "film.mp4", 100, 2, 1);
  const auto result = run_vmr({"flow", folder / "film.mp4", "--method", "farneback", "--fps", "3",
                               "--size", "320x240", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto document = result.json();
  const std::vector<double> times = document.at("times_seconds");
  const std::vector<double> values = document.at("mean_magnitude_pixels");
  ASSERT_EQ(times.size(), 12u);  // 4 s at 3 frames/s
  EXPECT_EQ(values.size(), times.size());
  EXPECT_NEAR(times[1], 1.0 / 3, 1e-9);
  EXPECT_EQ(values[0], values[1]);
  EXPECT_GT(values[5], 0.1);
  EXPECT_EQ(document.at("size"), "320x240");
  // What is wrong is said of the option.
  for (const auto& [option, value] :
       std::vector<std::pair<std::string, std::string>>{{"--size", "320"},
                                                        {"--fps", "inf"},
                                                        {"--max-seconds", "nan"},
                                                        {"--max-seconds", "-1"}}) {
    const auto wrong = run_vmr({"flow", folder / "film.mp4", option, value});
    EXPECT_EQ(wrong.exit_code, 2);
    EXPECT_THAT(wrong.error, HasSubstr(option + ": expected")) << value;
  }
  const auto plot = run_vmr({"flow", folder / "film.mp4", "--plot", folder / "flow.png"});
  EXPECT_EQ(plot.exit_code, 2);
  EXPECT_THAT(plot.error, HasSubstr("ends in .svg, got " + (folder / "flow.png").string()));
}

TEST(Program, FlowFollowsTheCodecsMotionVectors) {
  test::TempFolder folder;
  test::write_square_film(folder / "film.mp4", 100, 2, 1);
  const auto result = run_vmr({"flow", folder / "film.mp4", "--method", "motion_vectors", "--json",
                               "--threads", "300"});  // more than a decoder takes
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto document = result.json();
  const std::vector<double> times = document.at("times_seconds");
  const std::vector<double> values = document.at("mean_magnitude_pixels");
  ASSERT_EQ(times.size(), 12u);
  EXPECT_NEAR(times[11], 11.0 / 3, 1e-9);
  EXPECT_GT(document.at("covered").get<double>(), 0.8);
  // Seen at 320 x 240 the square of 96 pixels moves by (4, 2) a frame, eight frames a step.
  const double expected = 8 * std::hypot(4, 2) * 96 * 96 / (320.0 * 240);
  // As large as the blocks of 16 that a square of 48 pixels touches, at most 4 x 4.
  for (const size_t i : {2, 3}) {
    EXPECT_GT(values[i], 0.9 * expected) << i;
    EXPECT_LT(values[i], expected * 64 * 64 / (48 * 48)) << i;
  }
  EXPECT_EQ(values[0], values[1]);
  const auto beginning = run_vmr(
      {"flow", folder / "film.mp4", "--method", "motion_vectors", "--max-seconds", "1", "--json"});
  EXPECT_EQ(beginning.json().at("times_seconds").size(), 3u);
  EXPECT_EQ(beginning.json().at("mean_magnitude_pixels")[2], values[2]);
}

TEST(Program, FlowSaysWhatToUseWhereThereAreNoMotionVectors) {
  test::TempFolder folder;
  const std::vector<std::array<std::string, 3>> films = {{"mjpeg", "yuvj420p", "a.avi"},
                                                         {"ffv1", "yuv420p", "a.mkv"}};
  for (const auto& [encoder, format, name] : films) {
    test::write_plain_film(folder / name, 10, {.encoder = encoder, .pixel_format = format});
    const auto result = run_vmr({"flow", folder / name, "--method", "motion_vectors"});
    EXPECT_EQ(result.exit_code, 3);
    EXPECT_THAT(result.error, AllOf(HasSubstr("no motion vectors"), HasSubstr(encoder),
                                    HasSubstr("use farneback")));
  }
  const auto typo = run_vmr({"flow", folder / "a.mkv", "--method", "motion"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_THAT(typo.error, HasSubstr("or motion_vectors"));
}

TEST(Program, DescribeWritesFbankAsNpy) {
  test::TempFolder folder;
  write_clicks(folder / "clicks.wav", 100, 3);
  const auto result = run_vmr({"describe", folder / "clicks.wav", "--feature", "fbank", "--out",
                               folder / "f.npy", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.error;
  const auto bank = store::read_npy(folder / "f.npy");
  EXPECT_EQ(bank.sizes(), (std::vector<int64_t>{298, 80}));
  const auto text =
      run_vmr({"describe", folder / "clicks.wav", "--feature", "fbank", "--out", folder / "f.txt"});
  EXPECT_EQ(text.exit_code, 2);
  EXPECT_THAT(text.error, HasSubstr("expected a name in .npy or .csv"));
  const auto wrong = run_vmr({"describe", folder / "clicks.wav", "--feature", "fbanc"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.error, HasSubstr("did you mean \"fbank\"?"));
}

TEST(Program, DescribeGivesMomentsOnceAndValuesAsJson) {
  test::TempFolder folder;
  write_clicks(folder / "clicks.wav", 120, 6);
  const std::string file = folder / "clicks.wav";
  const auto csv =
      run_vmr({"describe", file, "--feature", "beats", "--plot", (folder / "b.svg").string()});
  ASSERT_EQ(csv.exit_code, 0) << csv.error;
  EXPECT_THAT(csv.out, testing::StartsWith("seconds\n"));
  EXPECT_EQ(csv.out.find(','), std::string::npos);
  EXPECT_TRUE(fs::exists(folder / "b.svg"));
  const auto json = run_vmr({"describe", file, "--feature", "beats", "--json"}).json();
  const std::vector<double> values = json.at("values");
  EXPECT_EQ(int64_t(values.size()), json.at("rows"));
  ASSERT_GT(values.size(), 8u);
  EXPECT_NEAR(values[5] - values[4], 0.5, 0.05);
}

TEST(Program, ProbeListsFailuresAndGoesOn) {
  test::TempFolder folder;
  test::write_numbered_film(folder / "good.mp4", 25);
  std::ofstream(folder / "bad.mp4") << "no film";
  const auto some = run_vmr({"probe", folder / "bad.mp4", folder / "good.mp4", "--json"});
  EXPECT_EQ(some.exit_code, 1);
  ASSERT_EQ(some.json().size(), 1u);
  EXPECT_EQ(some.json()[0].at("video").at("frames"), 25);
  EXPECT_THAT(some.error, HasSubstr("bad.mp4"));
  EXPECT_EQ(run_vmr({"probe", folder / "bad.mp4"}).exit_code, 3);
}

TEST(Program, AWrongPathIsOneClearLine) {
  const auto result = run_vmr({"beats", "/does/not/exist.mp3"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.error, HasSubstr("/does/not/exist.mp3"));
  EXPECT_EQ(std::count(result.error.begin(), result.error.end(), '\n'), 1);
}

TEST(Program, AWrongRecipeKeyNamesFilePathAndNearestKey) {
  test::TempFolder folder;
  std::ofstream(folder / "m.jsonl") << "";
  std::ofstream(folder / "r.json") << R"({"extract": {"audio": {"clip_second": 4}}})";
  const auto key = run_vmr(
      {"extract", folder / "m.jsonl", "--recipe", folder / "r.json", "--store", folder / "s"});
  EXPECT_EQ(key.exit_code, 2);
  EXPECT_THAT(key.error, HasSubstr("extract.audio.clip_second: unknown key; did you mean "
                                   "\"clip_seconds\"?"));
  EXPECT_FALSE(fs::exists(folder / "s"));
  std::ofstream(folder / "broken.json") << "{\n \"extract\": {,}\n}";
  const auto json = run_vmr(
      {"extract", folder / "m.jsonl", "--recipe", folder / "broken.json", "--store", folder / "s"});
  EXPECT_EQ(json.exit_code, 2);
  EXPECT_THAT(json.error, HasSubstr("line 2"));
  const auto name = run_vmr({"extract", folder / "m.jsonl", "--recipe", "demmo", "--store", "s"});
  EXPECT_THAT(name.error, HasSubstr("did you mean \"demo\"?"));
}

TEST(Program, ManifestErrorsHaveLineNumbersAndComeTogether) {
  test::TempFolder folder;
  std::ofstream(folder / "m.jsonl") << "{\"id\":\"a\",\"kind\":\"music\",\"path\":\"a.wav\"}\n"
                                    << "not json\n"
                                    << "{\"id\":\"a\",\"kind\":\"music\",\"path\":\"b.wav\"}\n";
  const auto result =
      run_vmr({"extract", folder / "m.jsonl", "--recipe", "demo", "--store", folder / "s"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.error, HasSubstr("2"));
  EXPECT_THAT(result.error, HasSubstr("3"));
}

TEST(Program, SynthExtractStoreAndExportWorkAsProcesses) {
  test::TempFolder folder;
  const auto synth = run_vmr({"synth", "--out", folder / "lib", "--tracks", "3",
                              "--films-per-track", "1", "--min-seconds", "6", "--max-seconds", "7",
                              "--width", "160", "--height", "120", "--json"});
  ASSERT_EQ(synth.exit_code, 0) << synth.error;
  const std::string manifest = synth.json().at("manifest");
  const auto extract = run_vmr({"extract", manifest, "--recipe", "demo", "--store", folder / "s",
                                "--json", "--threads", "2"});
  ASSERT_EQ(extract.exit_code, 0) << extract.error;
  EXPECT_EQ(extract.json().at("extracted"), 6);
  EXPECT_EQ(extract.json().at("clamped").at("rhythm"), 0);
  // What is there already counts as well.
  const auto again =
      run_vmr({"extract", manifest, "--recipe", "demo", "--store", folder / "s", "--json"});
  EXPECT_EQ(again.json().at("clamped"), extract.json().at("clamped"));
  const auto stats = run_vmr({"store", "stats", folder / "s", "--json"});
  EXPECT_EQ(stats.json().at("features").size(), 9u);
  EXPECT_EQ(stats.json().at("items"), nlohmann::json::parse(R"({"film":3,"music":3})"));
  EXPECT_EQ(run_vmr({"store", "check", folder / "s"}).exit_code, 0);
  ASSERT_EQ(
      run_vmr({"store", "export", folder / "s", "--feature", "fbank", "--out", folder / "npy"})
          .exit_code,
      0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "npy"), {}), 3);
  // Training before the encoders were run says what to do.
  const auto train =
      run_vmr({"train", "--recipe", "demo", "--store", folder / "s", "--out", folder / "run"});
  EXPECT_EQ(train.exit_code, 2);
  EXPECT_THAT(train.error, HasSubstr("vmr embed"));
}

}  // namespace
}  // namespace vmr
