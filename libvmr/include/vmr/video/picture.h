// Still pictures: those of reports, and those films come as in archives. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

namespace vmr::video {

// rgb: [height, width, 3] uint8. quality: 1 to 100. Returns the bytes of a baseline JPEG file.
// Throws: InvalidArgument for other shapes; NotBuilt without OpenCV.
std::string encode_jpeg(const at::Tensor& rgb, int quality = 80);

// The bytes of a JPEG or PNG file -> [height, width, 3] uint8 RGB, grey ones in three equal
// channels, without turning them as their EXIF data asks. The size is read before anything is
// unpacked. Throws: InvalidArgument naming what is wrong: another format, damaged, more than
// `max_pixels`; NotBuilt without OpenCV.
at::Tensor decode_picture(const std::string& bytes, int64_t max_pixels = 100'000'000);

}  // namespace vmr::video
