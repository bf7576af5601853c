#include "vmr/video/motion_vector_flow.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "vmr/core/error.h"
#include "vmr/video/optical_flow.h"

namespace vmr::video {
namespace {

void require_size(const char* function, int64_t height, int64_t width) {
  VMR_CHECK(height >= 1 && width >= 1 && height <= kMaxFlowPixels && width <= kMaxFlowPixels,
            function, ": expected a size of 1 to ", kMaxFlowPixels, " pixels a side, got ", width,
            " x ", height);
}

constexpr float kFarthestPlace = 1e6f;  // pixels; films are smaller

void require_frame(const char* function, const BlockMotion& frame, const BlockMotion* before) {
  VMR_CHECK(std::isfinite(frame.time) && (!before || frame.time > before->time), function,
            ": expected times that rise, got ", frame.time, " after ",
            before ? before->time : std::nan(""));
  VMR_CHECK(frame.height >= 1 && frame.width >= 1, function,
            ": expected the size of the picture in pixels, got ", frame.width, " x ", frame.height);
  for (const BlockVector& b : frame.blocks) {
    const auto near = [](float place) { return std::abs(place) <= kFarthestPlace; };
    VMR_CHECK(b.width >= 1 && b.height >= 1 && near(b.src_x) && near(b.src_y) && near(b.dst_x) &&
                  near(b.dst_y),
              function, ": expected blocks of 1 x 1 pixel or more within ", kFarthestPlace,
              " pixels of the picture's corner, got ", b.width, " x ", b.height, " from ", b.src_x,
              ", ", b.src_y, " to ", b.dst_x, ", ", b.dst_y);
  }
}

// The field of one pair at a time, in cells of `cell` pixels.
class Raster {
 public:
  Raster(int64_t height, int64_t width, int64_t cell)
      : rows_((height + cell - 1) / cell),
        columns_((width + cell - 1) / cell),
        height_(static_cast<double>(height)),
        width_(static_cast<double>(width)),
        cell_(static_cast<double>(cell)),
        cells_(static_cast<size_t>(rows_ * columns_)) {}

  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  float u(int64_t cell) const { return cells_[static_cast<size_t>(cell)].u; }
  float v(int64_t cell) const { return cells_[static_cast<size_t>(cell)].v; }

  // Returns the share of cells of which a vector tells; where that is none all are zero.
  float draw(const BlockMotion& from, const BlockMotion& to);

 private:
  // u, v: sums over `count` vectors of `rank` until draw() ends, then their means. Rank: 0 nothing,
  // else the higher, the shorter the time that the vectors span.
  struct Cell {
    float u = 0, v = 0;
    int32_t rank = 0, count = 0;
  };
  void paint(const BlockMotion& frame, const BlockVector& block, double sign, double span,
             bool at_destination, int32_t rank);
  void fill_gaps();

  int64_t rows_, columns_;
  double height_, width_, cell_;
  std::vector<Cell> cells_;
  std::vector<int64_t> edge_, next_edge_;  // of what is known, while gaps are filled
};

constexpr int32_t kTopRank = 1 << 20;

// Times between two frames a vector spans; 1 where it is not known.
double span_of(double reference, double own, double step) {
  const double span = std::abs(reference - own) / step;
  return std::isfinite(span) && span > 0.5 ? span : 1;
}

int32_t rank_of(double span) {
  return kTopRank - static_cast<int32_t>(std::lround(std::min(span, 10000.0)));
}

// The mean of the same place before and after looks like a picture that moves slowly, so encoders
// write no motion into frames between others where there is some.
int32_t doubt(const BlockMotion& frame, const BlockVector& b) {
  const bool between = std::isfinite(frame.future_time);
  return between && b.src_x == b.dst_x && b.src_y == b.dst_y ? kTopRank / 4 : 0;
}

float Raster::draw(const BlockMotion& from, const BlockMotion& to) {
  std::fill(cells_.begin(), cells_.end(), Cell{});
  const double step = to.time - from.time;
  const double past = span_of(to.past_time, to.time, step);
  const double future = span_of(from.future_time, from.time, step);
  const double after = span_of(to.future_time, to.time, step);
  for (const BlockVector& b : to.blocks) {
    if (!b.from_future) paint(to, b, 1, past, false, rank_of(past) - doubt(to, b));
  }
  for (const BlockVector& b : from.blocks) {
    if (b.from_future) paint(from, b, -1, future, true, rank_of(future) - doubt(from, b));
  }
  for (const BlockVector& b : to.blocks) {
    if (b.from_future) paint(to, b, -1, after, false, rank_of(after) - kTopRank / 2);
  }
  edge_.clear();
  for (int64_t i = 0; i < rows_ * columns_; ++i) {
    Cell& cell = cells_[static_cast<size_t>(i)];
    if (cell.rank == 0) continue;
    cell.u /= static_cast<float>(cell.count);
    cell.v /= static_cast<float>(cell.count);
    edge_.push_back(i);
  }
  const auto known = static_cast<double>(edge_.size());
  if (known > 0) fill_gaps();
  return static_cast<float>(known / static_cast<double>(cells_.size()));
}

// A cell belongs to the blocks that its centre lies in.
void Raster::paint(const BlockMotion& frame, const BlockVector& b, double sign, double span,
                   bool at_destination, int32_t rank) {
  const double across = width_ / static_cast<double>(frame.width);
  const double down = height_ / static_cast<double>(frame.height);
  const double u = sign * (double(b.dst_x) - double(b.src_x)) / span * across;
  const double v = sign * (double(b.dst_y) - double(b.src_y)) / span * down;
  const double x = b.dst_x * across - (at_destination ? 0 : u);
  const double y = b.dst_y * down - (at_destination ? 0 : v);
  const auto first = [&](double edge, int64_t limit) {
    return static_cast<int64_t>(
        std::clamp(std::ceil(edge / cell_ - 0.5), 0.0, static_cast<double>(limit)));
  };
  const double half_width = 0.5 * b.width * across, half_height = 0.5 * b.height * down;
  const int64_t left = first(x - half_width, columns_), right = first(x + half_width, columns_);
  const int64_t top = first(y - half_height, rows_), bottom = first(y + half_height, rows_);
  for (int64_t row = top; row < bottom; ++row) {
    for (int64_t column = left; column < right; ++column) {
      Cell& cell = cells_[static_cast<size_t>(row * columns_ + column)];
      if (rank < cell.rank) continue;
      if (rank > cell.rank) cell = {0, 0, rank, 0};
      cell.u += static_cast<float>(u);
      cell.v += static_cast<float>(v);
      ++cell.count;
    }
  }
}

// From the known cells outwards, ring by ring: a cell is the mean of its neighbours in the ring
// before. Within a ring order does not matter, for a cell of this ring is not read.
void Raster::fill_gaps() {
  const auto each_neighbour = [&](int64_t i, auto&& visit) {
    const int64_t row = i / columns_, column = i % columns_;
    if (row > 0) visit(i - columns_);
    if (column > 0) visit(i - 1);
    if (column + 1 < columns_) visit(i + 1);
    if (row + 1 < rows_) visit(i + columns_);
  };
  while (!edge_.empty()) {
    next_edge_.clear();
    for (const int64_t i : edge_) {
      each_neighbour(i, [&](int64_t n) {
        Cell& cell = cells_[static_cast<size_t>(n)];
        if (cell.rank != 0) return;
        if (cell.count++ == 0) next_edge_.push_back(n);
        cell.u += u(i);
        cell.v += v(i);
      });
    }
    for (const int64_t i : next_edge_) {
      Cell& cell = cells_[static_cast<size_t>(i)];
      cell.u /= static_cast<float>(cell.count);
      cell.v /= static_cast<float>(cell.count);
      cell.rank = 1;
    }
    std::swap(edge_, next_edge_);
  }
}

}  // namespace

MotionVectorFlow flow_from_motion_vectors(const std::vector<BlockMotion>& frames, int64_t height,
                                          int64_t width) {
  constexpr const char* kName = "flow_from_motion_vectors";
  require_size(kName, height, width);
  for (size_t i = 0; i < frames.size(); ++i) {
    require_frame(kName, frames[i], i > 0 ? &frames[i - 1] : nullptr);
  }
  const auto pairs = std::max<int64_t>(static_cast<int64_t>(frames.size()) - 1, 0);
  MotionVectorFlow result{at::empty({pairs, 2, height, width}, at::kFloat),
                          at::empty({pairs}, at::kFloat)};
  Raster raster(height, width, 1);
  auto* values = result.flow.mutable_data_ptr<float>();
  auto* covered = result.covered.mutable_data_ptr<float>();
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const auto i = static_cast<size_t>(pair);
    covered[pair] = raster.draw(frames[i], frames[i + 1]);
    for (int64_t cell = 0; cell < height * width; ++cell) *values++ = raster.u(cell);
    for (int64_t cell = 0; cell < height * width; ++cell) *values++ = raster.v(cell);
  }
  return result;
}

struct MotionVectorStream::Impl {
  static constexpr int64_t kCell = 4;  // pixels

  Impl(int64_t height, int64_t width)
      : drawn(height, width, kCell),
        field(drawn),
        ways(static_cast<size_t>(drawn.rows() * drawn.columns())) {}

  struct Way {
    float x = 0, y = 0;  // from where it was at the last take(), pixels
  };
  Raster drawn, field;  // the next pair's; the last one of which a vector told
  std::vector<Way> ways;
  BlockMotion previous;
  int64_t pairs = 0;
  double covered_sum = 0;
  bool begun = false;

  // Each cell's picture moves on by the vector of the cell that it has come to.
  void follow() {
    const auto last_row = static_cast<float>(field.rows() - 1);
    const auto last_column = static_cast<float>(field.columns() - 1);
    size_t i = 0;
    for (int64_t row = 0; row < field.rows(); ++row) {
      for (int64_t column = 0; column < field.columns(); ++column, ++i) {
        const float x = static_cast<float>(column) + ways[i].x / kCell;
        const float y = static_cast<float>(row) + ways[i].y / kCell;
        const auto at =
            static_cast<int64_t>(std::clamp(y, 0.f, last_row) + 0.5f) * field.columns() +
            static_cast<int64_t>(std::clamp(x, 0.f, last_column) + 0.5f);
        ways[i].x += field.u(at);
        ways[i].y += field.v(at);
      }
    }
  }
};

MotionVectorStream::MotionVectorStream(int64_t height, int64_t width) {
  require_size("MotionVectorStream", height, width);
  impl_ = std::make_unique<Impl>(height, width);
}
MotionVectorStream::~MotionVectorStream() = default;
MotionVectorStream::MotionVectorStream(MotionVectorStream&&) noexcept = default;
MotionVectorStream& MotionVectorStream::operator=(MotionVectorStream&&) noexcept = default;

void MotionVectorStream::push(BlockMotion frame) {
  Impl& s = *impl_;
  require_frame("MotionVectorStream", frame, s.begun ? &s.previous : nullptr);
  if (s.begun) {
    const float covered = s.drawn.draw(s.previous, frame);
    if (covered > 0) std::swap(s.drawn, s.field);
    s.follow();
    s.covered_sum += covered;
    ++s.pairs;
  }
  s.previous = std::move(frame);
  s.begun = true;
}

float MotionVectorStream::take() {
  double sum = 0;
  for (Impl::Way& way : impl_->ways) {
    sum += std::hypot(way.x, way.y);
    way = {};
  }
  return static_cast<float>(sum / static_cast<double>(impl_->ways.size()));
}

double MotionVectorStream::covered() const {
  return impl_->pairs > 0 ? impl_->covered_sum / static_cast<double>(impl_->pairs) : 0;
}

}  // namespace vmr::video
