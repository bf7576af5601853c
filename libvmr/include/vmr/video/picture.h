// Still pictures for reports. Thread-safe.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace vmr::video {

// rgb: [height, width, 3] uint8. quality: 1 to 100. Returns the bytes of a baseline JPEG file.
// Throws: InvalidArgument for other shapes; NotBuilt without OpenCV.
std::string encode_jpeg(const at::Tensor& rgb, int quality = 80);

}  // namespace vmr::video
