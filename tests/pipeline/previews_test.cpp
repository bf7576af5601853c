// Pins that one preview that cannot be made does not cost the others, and that wrong items cost no
// work.
#include "vmr/pipeline/previews.h"

#include <gtest/gtest.h>

#include "support/films.h"
#include "support/synth.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

class Previews : public testing::Test {
 protected:
  void SetUp() override {
    test::write_numbered_film(film, 50);
    media::write_audio(music, {test::tone(440, 3, 44100), 44100, 0});
  }

  test::TempFolder folder;
  const std::filesystem::path film = folder / "film.mp4", music = folder / "music.wav";
};

TEST_F(Previews, OneThatFailsIsListedAndTheNextIsMade) {
  int64_t steps = 0;
  RunControl control;
  control.on_progress = [&](const Progress& progress) { steps = progress.done; };
  const auto done = write_previews(film,
                                   {{music, {.target_lufs = -20}, folder / "1.mp4"},
                                    {folder / "gone.mp3", {}, folder / "2.mp4"},
                                    {music, {.offset_seconds = 1}, folder / "3.mkv"}},
                                   control);
  ASSERT_EQ(done.failures.size(), 1u);
  EXPECT_EQ(done.failures[0].id, (folder / "2.mp4").string());
  EXPECT_NE(done.failures[0].reason.find("gone.mp3"), std::string::npos);
  ASSERT_EQ(done.previews.size(), 3u);
  EXPECT_NEAR(done.previews[0]->loudness_lufs.value(), -20, 1e-9);
  EXPECT_FALSE(done.previews[1]);
  EXPECT_TRUE(done.previews[2]);
  EXPECT_EQ(steps, 3);
  EXPECT_TRUE(std::filesystem::exists(folder / "1.mp4"));
  EXPECT_TRUE(std::filesystem::exists(folder / "3.mkv"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 4);
}

TEST_F(Previews, AStopEndsTheBatch) {
  std::stop_source stopped;
  RunControl control;
  control.stop = stopped.get_token();
  control.on_progress = [&](const Progress& progress) {
    if (progress.done == 1) stopped.request_stop();
  };
  const auto done =
      write_previews(film, {{music, {}, folder / "1.mp4"}, {music, {}, folder / "2.mp4"}}, control);
  EXPECT_TRUE(done.previews[0]);
  EXPECT_FALSE(done.previews[1]);
  EXPECT_TRUE(done.failures.empty());
  EXPECT_FALSE(std::filesystem::exists(folder / "2.mp4"));
}

TEST_F(Previews, WrongItemsAreRefusedBeforeTheWork) {
  const auto refused = [&](const std::filesystem::path& out, const media::PreviewOptions& options) {
    EXPECT_THROW(write_previews(film, {{music, {}, folder / "1.mp4"}, {music, options, out}}),
                 InvalidArgument);
    EXPECT_FALSE(std::filesystem::exists(folder / "1.mp4"));
  };
  refused(folder / "2.avi", {});
  refused(folder / "2.mp4", {.stretch = 3});
  refused(folder / "." / "1.mp4", {});
}

}  // namespace
}  // namespace vmr::pipeline
