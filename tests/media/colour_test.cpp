// Pins the colours of films by the matrix and range their file names: flat patches come back as the
// RGB that was written.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>

#include "support/films.h"
#include "support/temp_folder.h"
#include "vmr/media/film_writer.h"
#include "vmr/media/video_reader.h"

namespace vmr::media {
namespace {

constexpr int64_t kPatch = 32;
using Colour = std::array<uint8_t, 3>;
const std::vector<Colour> kColours = {{255, 0, 0},   {0, 255, 0},    {0, 0, 255},    {255, 255, 0},
                                      {0, 255, 255}, {255, 0, 255},  {200, 100, 50}, {40, 160, 90},
                                      {0, 0, 0},     {255, 255, 255}};

// All colours side by side, each a square.
at::Tensor patches() {
  at::Tensor picture =
      at::empty({kPatch, kPatch * static_cast<int64_t>(kColours.size()), 3}, at::kByte);
  for (size_t i = 0; i < kColours.size(); ++i) {
    for (int64_t c = 0; c < 3; ++c) {
      picture.narrow(1, static_cast<int64_t>(i) * kPatch, kPatch)
          .select(2, c)
          .fill_(kColours[i][size_t(c)]);
    }
  }
  return picture;
}

// The largest distance of a patch's inner pixels to its colour; `patch` is the side in the picture.
int worst_error(const at::Tensor& picture, int64_t patch) {
  int worst = 0;
  for (size_t i = 0; i < kColours.size(); ++i) {
    const at::Tensor inner = picture.narrow(0, patch / 4, patch / 2)
                                 .narrow(1, static_cast<int64_t>(i) * patch + patch / 4, patch / 2);
    for (int64_t c = 0; c < 3; ++c) {
      const at::Tensor error = inner.select(2, c).to(at::kInt) - int(kColours[i][size_t(c)]);
      worst = std::max(worst, error.abs().max().item<int>());
    }
  }
  return worst;
}

TEST(Colour, PatchesComeBackByTheMatrixAndRangeOfTheFile) {
  test::TempFolder folder;
  const at::Tensor picture = patches();
  for (const char* matrix : {"bt709", "smpte170m", "bt2020nc", ""}) {
    for (const bool full_range : {false, true}) {
      for (const char* name : {"a.mp4", "a.mkv", "a.ts"}) {
        SCOPED_TRACE(testing::Message() << matrix << " full " << full_range << " " << name);
        test::write_still_film(folder / name, picture, {matrix, full_range});
        const at::Tensor whole = read_frames(folder / name, {.max_frames = 1}).pixels[0];
        ASSERT_EQ(whole.sizes(), picture.sizes());
        EXPECT_LE(worst_error(whole, kPatch), 3);
        const at::Tensor half = read_frames(folder / name, {.max_frames = 1,
                                                            .width = int(picture.size(1)) / 2,
                                                            .height = int(kPatch) / 2})
                                    .pixels[0];
        EXPECT_LE(worst_error(half, kPatch / 2), 3);
      }
    }
  }
}

TEST(Colour, TheFilmWriterNamesTheMatrixItUses) {
  test::TempFolder folder;
  const at::Tensor picture = patches();
  FilmWriter film(folder / "a.mp4", {.width = static_cast<int>(picture.size(1)),
                                     .height = static_cast<int>(kPatch),
                                     .channels = 0,
                                     .crf = 1});
  film.add_frame(picture);
  film.finish();
  EXPECT_LE(worst_error(read_frames(folder / "a.mp4", {}).pixels[0], kPatch), 4);
}

}  // namespace
}  // namespace vmr::media
