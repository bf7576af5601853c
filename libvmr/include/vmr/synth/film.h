// Films with exact truth: textured shapes move over textured backgrounds, with camera motion and
// hard cuts. A FilmScript holds all decisions (shots, cuts, palettes, motion); FilmRenderer turns
// any frame number into pixels; film_sound makes the film's own sound, which is ambience and never
// the music. The same script gives the same bits. A renderer is not thread-safe; distinct ones are
// independent.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "vmr/synth/hidden_state.h"
#include "vmr/synth/song.h"

namespace vmr::synth {

// Of film_sound: ambience needs no more, and its encoder takes half the time.
inline constexpr int kFilmRateHz = 22050;

struct FilmOptions {
  int width = 320;   // pixels, even, 64..4096
  int height = 240;  // pixels, even, 64..4096
  double seconds = 20.0;
  int frames_per_second = 25;
  double difficulty = 0.3;  // share of cuts off the beat; see cut_agreement
  uint64_t seed = 1;        // of everything the observation leaves open
};

// A textured shape that drifts, turns and bounces inside the frame during one shot.
struct Mover {
  int shape = 0;                    // 0 disc, 1 square, 2 triangle, 3 ring, 4 bar, 5 star
  double radius_pixels = 20;        // of the circle around the shape
  double x = 0, y = 0;              // centre at the shot's start, pixels
  double speed_x = 0, speed_y = 0;  // pixels per second
  double spin = 0;                  // radians per second
  double hue = 0;                   // [0, 1)
  double lightness = 0.5;           // [0, 1]
};

// Frames [begin_frame, end_frame) between two cuts. A cut is the time of begin_frame, but the
// first.
struct Shot {
  int64_t begin_frame = 0;
  int64_t end_frame = 0;
  int tile = 0;             // which background texture of the film
  double tile_scale = 1.0;  // texture pixels per screen pixel
  double angle = 0.0;       // radians, of the background at the shot's start
  double offset_x = 0, offset_y = 0;
  double pan_x = 0, pan_y = 0;  // pixels per second
  double zoom = 0.0;            // natural log of magnification per second
  double roll = 0.0;            // radians per second
  double shake_pixels = 0.0;
  double shake_hertz = 3.0;
  double lightness = 0.5;  // mean luminance, [0, 1]
  bool inverted = false;
  double pulse = 0.0;  // depth of the speed's pulse, 0..1
  double pulse_hertz = 2.0;
  double pulse_seconds = 0.0;  // a time of fastest motion, on the film's clock
  std::vector<Mover> movers;
};

struct FilmScript {
  FilmOptions options;
  int64_t frames = 0;
  TextureFamily texture = TextureFamily::stripes;
  double hue = 0, hue_spread = 0;  // of the palette, [0, 1)
  double saturation = 0.5;
  double contrast = 0.5;      // [0, 1]
  double softness = 0.5;      // of shape edges, [0, 1]
  double texture_cycles = 8;  // per 512 texture pixels
  std::vector<Shot> shots;

  std::vector<double> cut_seconds() const;  // shots.size() - 1 of them
};

// A film of a track: what it saw of the track's state, and the track's beats and sections at
// offset 0. Throws: InvalidArgument where an option is out of range.
FilmScript write_film_script(const Observation& seen, const SongTruth& music,
                             const FilmOptions& options);

class FilmRenderer {
 public:
  explicit FilmRenderer(const FilmScript& script);
  ~FilmRenderer();

  // Frame `frame` as [height, width, 3] uint8 RGB. The tensor is reused by the next call. Frames in
  // rising order are fastest: textures and shapes are prepared once a shot.
  // Requires: 0 <= frame < script.frames. Throws: InvalidArgument.
  at::Tensor render(int64_t frame);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Mean length of the true displacement over the picture, pixels per second, one value a frame (the
// last frame of a shot repeats the value before). Exact up to the 16 x 12 grid it is taken on.
std::vector<double> motion_curve(const FilmScript& script);

// Ambience: noise bed, wind, foot steps or hum, at about -36 LUFS. [1, samples] float32 at
// kFilmRateHz.
at::Tensor film_sound(const FilmScript& script);

}  // namespace vmr::synth
