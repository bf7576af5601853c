// The open form of one generation.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "retrieval/search_blocks.h"
#include "retrieval/segment.h"
#include "vmr/retrieval/catalogue.h"

namespace vmr::retrieval {

struct SnapshotPart {
  std::shared_ptr<const Segment> segment;
  std::vector<int64_t> removed;  // rows of the segment, ascending
};

class Snapshot final : public CatalogueSnapshot {
 public:
  Snapshot(Space space, int64_t generation, std::vector<SnapshotPart> parts);

  std::vector<CatalogueHit> search(const at::Tensor& query,
                                   const SearchOptions& options) const override;
  std::vector<std::vector<CatalogueHit>> search_batch(const at::Tensor& queries,
                                                      const SearchOptions& options) const override;
  std::optional<CatalogueRow> find(const std::string& id) const override;
  CatalogueRow row(int64_t index) const override;
  at::Tensor vectors(int64_t index) const override;
  std::vector<CatalogueRow> list(const Filter& filter, int64_t limit) const override;
  CatalogueStats stats() const override;

  const std::vector<SnapshotPart>& parts() const { return parts_; }
  bool is_live(size_t part, int64_t row) const { return live_.test(blocks_[part].first + row); }
  // Part and row of a live track.
  std::optional<std::pair<size_t, int64_t>> locate(std::string_view id) const;

 private:
  std::pair<size_t, int64_t> part_of(const char* function, int64_t index) const;
  Bitmap allowed(const Filter& filter) const;

  const Space space_;
  const int64_t generation_;
  const std::vector<SnapshotPart> parts_;
  std::vector<ItemBlock> blocks_;  // of the parts
  int64_t rows_ = 0;               // removed ones included
  int64_t tracks_ = 0;
  Bitmap live_;
};

}  // namespace vmr::retrieval
