#include <sstream>

#include "core/built_with.h"
#include "vmr/core/version.h"

namespace vmr {

std::string version() { return VMR_VERSION; }

std::string build_info() {
  const auto yes_no = [](bool value) { return value ? "yes" : "no"; };
  std::ostringstream out;
  out << "libvmr " << VMR_VERSION << "\n"
      << "compiler " << __VERSION__ << "\n"
      << "LibTorch " << detail::kLibTorchVersion << "\n"
      << "FFmpeg " << yes_no(detail::kBuiltFfmpeg) << "\n"
      << "OpenCV " << yes_no(detail::kBuiltOpencv) << "\n"
      << "LMDB " << yes_no(detail::kBuiltLmdb) << "\n"
      << "aubio " << yes_no(detail::kBuiltAubio) << "\n"
      << "utf8proc " << yes_no(detail::kBuiltUtf8proc) << "\n"
      << "sentencepiece " << yes_no(detail::kBuiltSentencepiece) << "\n"
      << "yaml-cpp " << yes_no(detail::kBuiltYaml) << "\n"
      << "libzip " << yes_no(detail::kBuiltZip) << "\n"
      << "CUDA " << yes_no(detail::kBuiltCuda) << "\n"
      << "OpenCV's cudaoptflow " << yes_no(detail::kBuiltOpencvCuda) << "\n";
  return out.str();
}

}  // namespace vmr
