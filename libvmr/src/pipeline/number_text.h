// Numbers as people read them in tables and pages.
#pragma once

#include <cstdio>
#include <string>

namespace vmr::pipeline {

// With `digits` behind the point.
inline std::string number_text(double value, int digits) {
  char text[48];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

}  // namespace vmr::pipeline
