// Pins that a build without FFmpeg has the same functions and says how to get them to work.
#include <ATen/core/Tensor.h>
#include <gtest/gtest.h>

#include "vmr/core/error.h"
#include "vmr/media/audio_blocks.h"
#include "vmr/media/decode.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/probe.h"

namespace vmr::media {
namespace {

TEST(WithoutFfmpeg, EveryFunctionNamesTheSwitch) {
  try {
    probe("a.mp4");
    FAIL() << "probe worked";
  } catch (const NotBuilt& error) {
    EXPECT_NE(std::string(error.what()).find("VMR_WITH_FFMPEG"), std::string::npos);
  }
  EXPECT_THROW(read_audio("a.mp4"), NotBuilt);
  EXPECT_THROW(read_audio_blocks("a.mp4", {}, {}), NotBuilt);
  EXPECT_THROW(read_frames("a.mp4", {.fps = 1}), NotBuilt);
  EXPECT_THROW(FilmWriter("a.mp4", {.width = 64, .height = 64}), NotBuilt);
  EXPECT_THROW(write_audio("a.wav", {}), NotBuilt);
  EXPECT_THROW(write_preview("a.mp4", "b.mp3", "c.mp4"), NotBuilt);
  EXPECT_THROW(read_frames("a.mp4", {.fps = -1}), InvalidArgument);
}

}  // namespace
}  // namespace vmr::media
