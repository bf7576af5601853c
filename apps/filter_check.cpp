#include "filter_check.h"

#include <set>
#include <string>
#include <vector>

#include "shared.h"
#include "vmr/core/error.h"
#include "vmr/core/json_reader.h"

namespace vmr::apps {
namespace {

std::vector<std::string> fields_of(const retrieval::Catalogue& catalogue) {
  std::set<std::string> fields;
  for (const auto& row : catalogue.list()) {
    for (const auto& [field, value] : row.metadata.items()) fields.insert(field);
  }
  return {fields.begin(), fields.end()};
}

std::string unknown(const std::string& field, const std::vector<std::string>& fields) {
  const auto near = nearest_name(field, fields);
  std::string known;
  for (const auto& name : fields) known += (known.empty() ? "" : ", ") + name;
  return "--filter: no track of the catalogue has a field \"" + field + "\"" +
         (near.empty() ? "" : "; did you mean \"" + near + "\"?") + " (fields: " + known + ")";
}

}  // namespace

void check_filter(const retrieval::Catalogue& catalogue, const retrieval::Filter& filter) {
  if (catalogue.stats().tracks == 0) return;
  for (const auto& condition : filter.conditions()) {
    const auto any = retrieval::Filter::parse(condition.field + ":*");
    if (!catalogue.list(any, 1).empty()) continue;
    const auto message = unknown(condition.field, fields_of(catalogue));
    VMR_CHECK(condition.op == retrieval::FilterOperator::not_equal, message);
    warn({message});
  }
}

}  // namespace vmr::apps
