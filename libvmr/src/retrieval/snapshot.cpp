#include "retrieval/snapshot.h"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "vmr/core/error.h"

namespace vmr::retrieval {

Snapshot::Snapshot(Space space, int64_t generation, std::vector<SnapshotPart> parts)
    : space_(std::move(space)), generation_(generation), parts_(std::move(parts)) {
  for (const SnapshotPart& part : parts_) {
    blocks_.push_back({part.segment->vectors(), part.segment->rows(), rows_});
    rows_ += part.segment->rows();
  }
  live_ = Bitmap(rows_, true);
  for (size_t p = 0; p < parts_.size(); ++p)
    for (const int64_t row : parts_[p].removed) live_.clear(blocks_[p].first + row);
  tracks_ = live_.count();
}

Bitmap Snapshot::allowed(const Filter& filter) const {
  Bitmap result = live_;
  if (filter.empty()) return result;
  for (size_t p = 0; p < parts_.size(); ++p)
    parts_[p].segment->keep_matching(filter, blocks_[p].first, result);
  return result;
}

std::vector<std::vector<CatalogueHit>> Snapshot::search_batch(const at::Tensor& queries,
                                                              const SearchOptions& options) const {
  VMR_CHECK(options.space.empty() || options.space == space_.id,
            "catalogue: the query lies in space ", options.space, ", the catalogue in ", space_.id,
            "; embed the query with the catalogue's own model");
  VMR_CHECK(options.top >= 0, "catalogue: expected top of at least 0, got ", options.top);
  const at::Tensor prepared = prepare_queries("catalogue", queries, space_.vectors, space_.dim);
  const int64_t length = space_.vectors * space_.dim;
  std::vector<const float*> starts;
  for (int64_t q = 0; q < prepared.size(0); ++q)
    starts.push_back(prepared.const_data_ptr<float>() + q * length);
  ExactSearchOptions exact{.top = options.top, .threads = options.threads};
  Bitmap matching;
  if (!options.filter.empty() || tracks_ < rows_) {
    matching = allowed(options.filter);
    exact.allowed = &matching;
  }
  std::vector<std::vector<CatalogueHit>> result;
  for (const auto& neighbours : search_blocks(blocks_, starts, length, space_.vectors, exact)) {
    std::vector<CatalogueHit>& hits = result.emplace_back();
    for (const Neighbour& n : neighbours) {
      const auto [part, row] = part_of("catalogue", n.index);
      hits.push_back({n.index, std::string(parts_[part].segment->id(row)), n.score});
    }
  }
  return result;
}

std::vector<CatalogueHit> Snapshot::search(const at::Tensor& query,
                                           const SearchOptions& options) const {
  VMR_CHECK(query.defined() && (query.dim() == 1 || query.dim() == 2),
            "catalogue: expected a query [dim] or [vectors, dim]; several go to search_batch");
  const at::Tensor one = query.dim() == 1 ? query.unsqueeze(0) : query;
  return search_batch(one.unsqueeze(0), options).front();
}

std::optional<std::pair<size_t, int64_t>> Snapshot::locate(std::string_view id) const {
  for (size_t p = parts_.size(); p-- > 0;) {
    const auto row = parts_[p].segment->find(id);
    if (row && is_live(p, *row)) return std::pair(p, *row);
  }
  return std::nullopt;
}

std::pair<size_t, int64_t> Snapshot::part_of(const char* function, int64_t index) const {
  VMR_CHECK(index >= 0 && index < rows_ && live_.test(index), function, ": row ", index,
            " is no track of generation ", generation_);
  const auto after =
      std::upper_bound(blocks_.begin(), blocks_.end(), index,
                       [](int64_t wanted, const ItemBlock& block) { return wanted < block.first; });
  const auto part = static_cast<size_t>(after - blocks_.begin()) - 1;
  return {part, index - blocks_[part].first};
}

CatalogueRow Snapshot::row(int64_t index) const {
  const auto [part, row] = part_of("catalogue row", index);
  const Segment& segment = *parts_[part].segment;
  return {index, std::string(segment.id(row)), segment.metadata(row)};
}

std::optional<CatalogueRow> Snapshot::find(const std::string& id) const {
  const auto found = locate(id);
  if (!found) return std::nullopt;
  return row(blocks_[found->first].first + found->second);
}

at::Tensor Snapshot::vectors(int64_t index) const {
  const auto [part, row] = part_of("catalogue vectors", index);
  at::Tensor result = at::empty({space_.vectors, space_.dim}, at::kFloat);
  const float* from = parts_[part].segment->row(row).vectors;
  std::copy(from, from + result.numel(), result.data_ptr<float>());
  return result;
}

std::vector<CatalogueRow> Snapshot::list(const Filter& filter, int64_t limit) const {
  const Bitmap wanted = allowed(filter);
  std::vector<CatalogueRow> result;
  for (int64_t i = 0; i < rows_; ++i) {
    if (limit >= 0 && static_cast<int64_t>(result.size()) >= limit) break;
    if (wanted.test(i)) result.push_back(row(i));
  }
  return result;
}

CatalogueStats Snapshot::stats() const {
  CatalogueStats result{.space = space_,
                        .generation = generation_,
                        .tracks = tracks_,
                        .removed_rows = rows_ - tracks_,
                        .segments = static_cast<int64_t>(parts_.size())};
  for (const SnapshotPart& part : parts_)
    result.file_bytes += static_cast<int64_t>(part.segment->file_bytes());
  return result;
}

}  // namespace vmr::retrieval
