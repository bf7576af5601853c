#include "vmr/core/feature_track.h"

#include <algorithm>

#include "vmr/core/error.h"
#include "vmr/core/hash.h"

namespace vmr {

RowTimes RowTimes::regular(int64_t rows, double start_seconds, double hop_seconds,
                           double width_seconds) {
  VMR_CHECK(rows >= 0 && hop_seconds > 0 && width_seconds > 0,
            "RowTimes::regular: expected rows >= 0 and positive hop and width in seconds, got ",
            rows, ", ", hop_seconds, ", ", width_seconds);
  RowTimes times;
  times.rows_ = rows;
  times.start_ = start_seconds;
  times.hop_ = hop_seconds;
  times.width_ = width_seconds;
  return times;
}

RowTimes RowTimes::explicit_rows(std::vector<Interval> rows) {
  for (const auto& row : rows) {
    VMR_CHECK(row.end_seconds >= row.start_seconds,
              "RowTimes::explicit_rows: expected start <= end, got [", row.start_seconds, ", ",
              row.end_seconds, ")");
  }
  RowTimes times;
  times.rows_ = static_cast<int64_t>(rows.size());
  times.explicit_ = std::move(rows);
  return times;
}

Interval RowTimes::at(int64_t row) const {
  VMR_CHECK(row >= 0 && row < rows_, "RowTimes::at: row ", row, " of ", rows_);
  if (!explicit_.empty()) return explicit_[static_cast<size_t>(row)];
  const double start = start_ + static_cast<double>(row) * hop_;
  return {start, start + width_};
}

std::vector<Interval> RowTimes::to_list() const {
  if (!explicit_.empty()) return explicit_;
  std::vector<Interval> rows(static_cast<size_t>(rows_));
  for (int64_t row = 0; row < rows_; ++row) rows[static_cast<size_t>(row)] = at(row);
  return rows;
}

std::string Provenance::fingerprint() const {
  // The separator cannot occur in any of the parts, so different parts never join to one text.
  return hash_text(extractor + '\x1f' + version + '\x1f' + options + '\x1f' + weights_hash);
}

void validate(const FeatureTrack& track) {
  VMR_CHECK(track.values.defined() && track.values.dim() >= 1,
            "FeatureTrack: expected values [rows, ...], got ",
            track.values.defined() ? "a scalar" : "nothing");
  VMR_CHECK(track.values.is_cpu() && track.values.is_contiguous(),
            "FeatureTrack: expected contiguous CPU values; call .cpu().contiguous()");
  VMR_CHECK(track.values.size(0) == track.times.size(), "FeatureTrack: ", track.values.size(0),
            " rows of values but ", track.times.size(), " row times");
}

}  // namespace vmr
