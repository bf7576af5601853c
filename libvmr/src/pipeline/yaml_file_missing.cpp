#include "pipeline/yaml_file.h"
#include "vmr/core/error.h"

namespace vmr::pipeline {

nlohmann::json read_yaml_file(const std::filesystem::path& path) {
  throw NotBuilt(path.string() +
                 ": built without yaml-cpp (VMR_WITH_YAML=OFF); build with libyaml-cpp-dev, or "
                 "write the file as JSON");
}

}  // namespace vmr::pipeline
