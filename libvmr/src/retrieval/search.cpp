#include "vmr/retrieval/search.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "retrieval/dot_kernel.h"
#include "retrieval/search_blocks.h"
#include "vmr/core/error.h"
#include "vmr/core/parallel.h"

namespace vmr::retrieval {
namespace {

// Rows scored at once: 128 rows of 256 floats stay in the second-level cache for all queries.
constexpr int64_t kRowsAtOnce = 128;
// Queries that share one pass over the items.
constexpr int64_t kQueriesAtOnce = 256;
// Multiply-adds that are worth a thread: some 0.2 ms.
constexpr int64_t kSmallestWork = int64_t{1} << 21;

bool comes_before(const Neighbour& a, const Neighbour& b) {
  return a.score > b.score || (a.score == b.score && a.index < b.index);
}

// The best `top` seen so far, the worst of them in front.
class Best {
 public:
  explicit Best(int64_t top) : top_(static_cast<size_t>(top)) {}

  // Items come in ascending order, so one that ties with the worst kept loses to it.
  void offer(const float* scores, const int64_t* items, int64_t count, float divisor) {
    for (int64_t i = 0; i < count; ++i) {
      float score = scores[i] / divisor;
      if (kept_.size() == top_ && !(score > kept_.front().score)) continue;
      if (std::isnan(score)) score = -std::numeric_limits<float>::infinity();
      if (kept_.size() == top_) {
        std::pop_heap(kept_.begin(), kept_.end(), comes_before);
        kept_.back() = {items[i], score};
      } else {
        kept_.push_back({items[i], score});
      }
      std::push_heap(kept_.begin(), kept_.end(), comes_before);
    }
  }
  const std::vector<Neighbour>& kept() const { return kept_; }

 private:
  size_t top_;
  std::vector<Neighbour> kept_;
};

// Scores the items [begin, end) of one block against all queries, kRowsAtOnce allowed ones a time.
class Scanner {
 public:
  Scanner(std::span<const float* const> queries, int64_t length, int64_t vectors,
          const ExactSearchOptions& options)
      : queries_(queries),
        length_(length),
        divisor_(static_cast<float>(vectors)),
        allowed_(options.allowed),
        scores_(queries.size() * kRowsAtOnce),
        best_(queries.size(), Best(options.top)) {}

  void scan(const ItemBlock& block, int64_t begin, int64_t end) {
    int64_t count = 0;
    for (int64_t row = begin; row < end; ++row) {
      const int64_t item = block.first + row;
      if (allowed_ != nullptr && !allowed_->test(item)) continue;
      rows_[count] = block.rows + row * length_;
      items_[count] = item;
      if (++count == kRowsAtOnce) {
        flush(count);
        count = 0;
      }
    }
    if (count > 0) flush(count);
  }
  const std::vector<Neighbour>& best(size_t query) const { return best_[query].kept(); }

 private:
  void flush(int64_t count) {
    tiles_(rows_, count, queries_.data(), static_cast<int64_t>(queries_.size()), length_,
           scores_.data(), kRowsAtOnce);
    for (size_t q = 0; q < queries_.size(); ++q)
      best_[q].offer(scores_.data() + q * kRowsAtOnce, items_, count, divisor_);
  }

  const DotTiles tiles_ = fastest_dot_tiles();
  const std::span<const float* const> queries_;
  const int64_t length_;
  const float divisor_;
  const Bitmap* allowed_;
  const float* rows_[kRowsAtOnce] = {};
  int64_t items_[kRowsAtOnce] = {};
  std::vector<float> scores_;
  std::vector<Best> best_;
};

// One stretch of items for one thread at a time.
struct Stretch {
  size_t block;
  int64_t begin, end;
};

std::vector<std::vector<Stretch>> share_out(std::span<const ItemBlock> blocks, int64_t shares,
                                            int64_t smallest) {
  int64_t total = 0;
  for (const ItemBlock& block : blocks) total += block.count;
  const int64_t each = std::max(smallest, (total + shares - 1) / shares);
  std::vector<std::vector<Stretch>> result;
  int64_t room = 0;
  for (size_t b = 0; b < blocks.size(); ++b) {
    for (int64_t begin = 0; begin < blocks[b].count;) {
      if (room == 0) {
        result.emplace_back();
        room = each;
      }
      const int64_t taken = std::min(room, blocks[b].count - begin);
      result.back().push_back({b, begin, begin + taken});
      begin += taken;
      room -= taken;
    }
  }
  return result;
}

}  // namespace

std::vector<std::vector<Neighbour>> search_blocks(std::span<const ItemBlock> blocks,
                                                  std::span<const float* const> queries,
                                                  int64_t length, int64_t vectors,
                                                  const ExactSearchOptions& options) {
  std::vector<std::vector<Neighbour>> result(queries.size());
  if (options.top == 0) return result;
  const int threads = thread_count(options.threads);
  // A few shares per thread, so that one that is held up does not hold up all; but none so small
  // that starting a thread for it costs more than it saves.
  const int64_t work_per_row = length * static_cast<int64_t>(queries.size()) + 1;
  const auto shares = share_out(blocks, threads == 1 ? 1 : 4 * threads,
                                std::max(kRowsAtOnce, kSmallestWork / work_per_row));
  for (size_t from = 0; from < queries.size(); from += kQueriesAtOnce) {
    const auto part =
        queries.subspan(from, std::min<size_t>(kQueriesAtOnce, queries.size() - from));
    std::vector<Scanner> scanners(shares.size(), Scanner(part, length, vectors, options));
    for_each_item(static_cast<int64_t>(shares.size()), threads, [&](int64_t share) {
      const auto at = static_cast<size_t>(share);
      for (const Stretch& s : shares[at]) scanners[at].scan(blocks[s.block], s.begin, s.end);
    });
    for (size_t q = 0; q < part.size(); ++q) {
      std::vector<Neighbour>& all = result[from + q];
      for (const Scanner& scanner : scanners)
        all.insert(all.end(), scanner.best(q).begin(), scanner.best(q).end());
      std::sort(all.begin(), all.end(), comes_before);
      if (static_cast<int64_t>(all.size()) > options.top)
        all.resize(static_cast<size_t>(options.top));
    }
  }
  return result;
}

at::Tensor prepare_queries(const char* function, const at::Tensor& queries, int64_t vectors,
                           int64_t dim) {
  VMR_CHECK(queries.defined() && queries.scalar_type() == at::kFloat && queries.device().is_cpu() &&
                queries.dim() == 3 && queries.size(2) == dim &&
                (queries.size(1) == vectors || queries.size(1) == 1),
            function, ": expected query vectors [..., ", vectors, " or 1, ", dim,
            "] float32 on the CPU, got ",
            queries.defined() ? detail::concat(queries.scalar_type(), " ", queries.sizes())
                              : std::string("nothing"));
  VMR_CHECK(at::isfinite(queries).all().item<bool>(), function,
            ": the query holds NaN or infinity");
  return queries.expand({queries.size(0), vectors, dim}).contiguous();
}

std::vector<std::vector<Neighbour>> search_exact(const at::Tensor& items, const at::Tensor& queries,
                                                 const ExactSearchOptions& options) {
  VMR_CHECK(items.defined() && items.scalar_type() == at::kFloat && items.device().is_cpu() &&
                (items.dim() == 2 || items.dim() == 3),
            "search_exact: expected items [items, dim] or [items, vectors, dim] float32 on the "
            "CPU, got ",
            items.defined() ? detail::concat(items.scalar_type(), " ", items.sizes())
                            : std::string("nothing"));
  VMR_CHECK(options.top >= 0, "search_exact: expected top of at least 0, got ", options.top);
  VMR_CHECK(options.allowed == nullptr || options.allowed->size() == items.size(0),
            "search_exact: expected one bit for each of ", items.size(0), " items, got ",
            options.allowed == nullptr ? 0 : options.allowed->size());
  const at::Tensor rows = items.contiguous();
  const int64_t vectors = items.dim() == 3 ? items.size(1) : 1;
  const int64_t dim = items.size(-1);
  const at::Tensor prepared = prepare_queries(
      "search_exact", queries.defined() && queries.dim() == 2 ? queries.unsqueeze(1) : queries,
      vectors, dim);
  const int64_t length = vectors * dim;
  std::vector<const float*> starts;
  for (int64_t q = 0; q < prepared.size(0); ++q)
    starts.push_back(prepared.const_data_ptr<float>() + q * length);
  const ItemBlock block{rows.const_data_ptr<float>(), rows.size(0), 0};
  return search_blocks(std::span(&block, 1), starts, length, vectors, options);
}

}  // namespace vmr::retrieval
