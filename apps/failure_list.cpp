#include "failure_list.h"

namespace vmr::apps {

nlohmann::json listed(const std::vector<ItemFailure>& failures) {
  auto list = nlohmann::json::array();
  for (const auto& failure : failures) {
    list.push_back({{"id", failure.id}, {"reason", failure.reason}});
  }
  return list;
}

}  // namespace vmr::apps
