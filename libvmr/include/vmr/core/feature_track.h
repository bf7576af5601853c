// FeatureTrack: the one type that leaves every extractor and enters every store, dataset and model.
// Values with one row per stretch of time, the time of every row, and where the values came from.
// Plain values: safe to share between threads for reading.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vmr {

// Half-open stretch of time [start_seconds, end_seconds) on the media file's clock, whose zero is
// the first presented sample of the file.
struct Interval {
  double start_seconds = 0.0;
  double end_seconds = 0.0;

  double duration() const { return end_seconds - start_seconds; }
  bool contains(double seconds) const { return seconds >= start_seconds && seconds < end_seconds; }
  bool operator==(const Interval&) const = default;
};

// Times of rows: either a regular grid (row i covers [start + i*hop, start + i*hop + width)) or an
// explicit list. A grid costs 24 bytes however long the track is.
class RowTimes {
 public:
  RowTimes() = default;
  static RowTimes regular(int64_t rows, double start_seconds, double hop_seconds,
                          double width_seconds);
  static RowTimes explicit_rows(std::vector<Interval> rows);

  int64_t size() const { return rows_; }
  bool is_regular() const { return explicit_.empty(); }
  double start_seconds() const { return start_; }  // of the grid
  double hop_seconds() const { return hop_; }      // of the grid
  double width_seconds() const { return width_; }  // of the grid
  // Requires: 0 <= row < size(). Throws: InvalidArgument.
  Interval at(int64_t row) const;
  std::vector<Interval> to_list() const;
  bool operator==(const RowTimes&) const = default;

 private:
  int64_t rows_ = 0;
  double start_ = 0.0, hop_ = 0.0, width_ = 0.0;
  std::vector<Interval> explicit_;
};

// Where values came from. Tracks of different provenance never mix silently: the store refuses it.
struct Provenance {
  std::string extractor;     // "fbank", "conformer_audio", ...
  std::string version;       // of the extractor's arithmetic, raised when values change
  std::string options;       // canonical JSON of the options that change results
  std::string weights_hash;  // "" for extractors without weights
  std::string media_hash;    // of the media file; differs from item to item

  // Hash of everything but media_hash: equal for all items that may be used together.
  std::string fingerprint() const;
  bool operator==(const Provenance&) const = default;
};

struct FeatureTrack {
  at::Tensor values;  // [rows, ...], CPU, contiguous; dtype and unit are the extractor's
  RowTimes times;     // times.size() == values.size(0)
  Provenance provenance;
};

// Throws InvalidArgument unless values are a defined contiguous CPU tensor with one time per row.
void validate(const FeatureTrack& track);

}  // namespace vmr
