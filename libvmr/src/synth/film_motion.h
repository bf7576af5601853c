// Where everything is at a time: the one place that renderer and truth share.
#pragma once

#include "vmr/synth/film.h"

namespace vmr::synth {

// (x, y) on the screen -> (a x + b y + e, c x + d y + f) on the texture.
struct Affine {
  double a = 1, b = 0, c = 0, d = 1, e = 0, f = 0;
};

struct Pose {
  double x = 0, y = 0;  // centre, pixels
  double angle = 0;     // radians
  double magnification = 1;
};

Affine background_at(const FilmScript& script, const Shot& shot, double seconds);
Pose mover_at(const FilmScript& script, const Shot& shot, const Mover& mover, double seconds);

}  // namespace vmr::synth
