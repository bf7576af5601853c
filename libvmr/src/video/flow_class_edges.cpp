#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "video/tensor_checks.h"
#include "vmr/core/json_reader.h"
#include "vmr/video/clip_flow.h"

namespace vmr::video {

void validate(const FlowClassEdges& edges) {
  VMR_CHECK(edges.edges.size() >= 2, "FlowClassEdges: expected two or more edges, got ",
            edges.edges.size());
  for (size_t i = 0; i < edges.edges.size(); ++i) {
    VMR_CHECK(std::isfinite(edges.edges[i]), "FlowClassEdges: edge ", i, " is not finite");
    VMR_CHECK(i == 0 || edges.edges[i - 1] <= edges.edges[i], "FlowClassEdges: edges must not fall",
              ", but edge ", i, " is ", edges.edges[i], " after ", edges.edges[i - 1]);
  }
}

FlowClassEdges reference_edges() {
  FlowClassEdges edges{.edges = {}, .kind = "reference"};
  for (int i = 0; i <= 64; ++i) edges.edges.push_back(5.0 * i);
  return edges;
}

FlowClassEdges fit_quantile_edges(const std::vector<float>& training_values, int64_t classes) {
  VMR_CHECK(classes >= 1 && classes <= 65536,
            "fit_quantile_edges: classes must be in 1..65536, got ", classes);
  std::vector<double> sorted;
  for (const float value : training_values)
    if (std::isfinite(value)) sorted.push_back(value);
  VMR_CHECK(!sorted.empty(), "fit_quantile_edges: no finite value among ", training_values.size(),
            " training values");
  std::sort(sorted.begin(), sorted.end());
  FlowClassEdges edges{.edges = {}, .kind = "quantile"};
  const auto last = static_cast<double>(sorted.size() - 1);
  for (int64_t i = 0; i <= classes; ++i) {
    const double position = last * static_cast<double>(i) / static_cast<double>(classes);
    const auto below = static_cast<size_t>(position);
    const size_t above = std::min(below + 1, sorted.size() - 1);
    const double part = position - static_cast<double>(below);
    edges.edges.push_back(sorted[below] + part * (sorted[above] - sorted[below]));
  }
  edges.edges.back() = std::nextafter(sorted.back(), std::numeric_limits<double>::infinity());
  return edges;
}

FlowClasses flow_classes(const at::Tensor& measures, const FlowClassEdges& edges) {
  validate(edges);
  VMR_CHECK(measures.defined() && measures.dim() == 1 && measures.device().is_cpu() &&
                (measures.scalar_type() == at::kFloat || measures.scalar_type() == at::kDouble),
            "flow_classes: expected measures [clips] float32 or float64 on the CPU, got ",
            detail::describe(measures));
  const at::Tensor values = measures.to(at::kDouble).contiguous();
  FlowClasses result;
  result.classes = at::empty({values.numel()}, values.options().dtype(at::kLong));
  const auto* value = values.const_data_ptr<double>();
  auto* label = result.classes.mutable_data_ptr<int64_t>();
  const auto& e = edges.edges;
  for (int64_t i = 0; i < values.numel(); ++i) {
    if (std::isnan(value[i])) {
      label[i] = edges.classes();
      ++result.missing;
      continue;
    }
    if (value[i] < e.front() || value[i] >= e.back()) ++result.clamped;
    const auto upper = std::upper_bound(e.begin(), e.end(), value[i]) - e.begin();
    label[i] = std::clamp<int64_t>(upper - 1, 0, edges.classes() - 1);
  }
  return result;
}

std::string to_json(const FlowClassEdges& edges) {
  validate(edges);
  return nlohmann::json{{"kind", edges.kind}, {"edges", edges.edges}}.dump();
}

FlowClassEdges flow_class_edges_from_json(const std::string& text) {
  nlohmann::json json;
  try {
    json = nlohmann::json::parse(text);
  } catch (const nlohmann::json::exception& error) {
    throw InvalidArgument(std::string("flow_class_edges_from_json: ") + error.what());
  }
  FlowClassEdges edges;
  JsonReader reader(json, "flow class edges");
  reader.field("kind", edges.kind);
  reader.field("edges", edges.edges);
  reader.finish();
  validate(edges);
  return edges;
}

}  // namespace vmr::video
