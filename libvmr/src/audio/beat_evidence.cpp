#include "audio/beat_evidence.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vmr::audio::detail {

const char* const kEvidenceNames =
    "bpm bpm2 on half third quarter lon lhalf hon hhalf lpar mpar hpar apar backbeat mod3l mod3a nov "
    "nhalf npar sim1 sim2 sim3 sim4 irr tot fast slow sixth lmod4 hpar2 mon mhalf x32 x23 bar5 swing "
    "lswing hbar nbar linon linhalf linpar lin3 lin4 linthird simx half_t third_t apar_t "
    "lpar_t mod3_t x32_t linhalf_t linpar_t";

namespace {

// 1 where all is in a, -1 where all is in b, 0 where both are alike or nothing is there.
double contrast(double a, double b) { return (a - b) / (a + b + 0.2); }

class Accents {
 public:
  Accents(const BeatBands& bands, std::span<const int64_t> beats) : bands_(bands), beats_(beats) {}
  int64_t count() const { return static_cast<int64_t>(beats_.size()); }
  // Strength `part` of an interval behind beat `index`, over the curve's mean.
  double at(Band band, int64_t index, double part) const {
    const auto whole = static_cast<int64_t>(part);
    const int64_t i = index + whole;
    if (i + 1 >= count()) return 0;
    const double frame =
        double(beats_[i]) + (part - double(whole)) * double(beats_[i + 1] - beats_[i]);
    const auto t = std::clamp<int64_t>(std::llround(frame), 0, bands_.frames - 1);
    return bands_.tops[band][t] / bands_.means[band];
  }
  double mean(Band band, std::initializer_list<double> parts) const {
    double sum = 0;
    for (int64_t i = 0; i + 1 < count(); ++i)
      for (const double part : parts) sum += at(band, i, part);
    return sum / double(std::max<int64_t>(1, (count() - 1) * int64_t(parts.size())));
  }

 private:
  const BeatBands& bands_;
  std::span<const int64_t> beats_;
};

// Mean over stretches of sixteen beats of the contrast between the strongest and the weakest of
// `groups` beats.
double alternation(const Accents& accents, Band band, int groups) {
  double sum = 0;
  int stretches = 0;
  for (int64_t i = 0; i + 8 <= accents.count(); i += 8) {
    const int64_t end = std::min(accents.count(), i + 16);
    std::vector<double> total(groups), number(groups);
    for (int64_t j = i; j < end; ++j) {
      total[j % groups] += accents.at(band, j, 0);
      ++number[j % groups];
    }
    for (int g = 0; g < groups; ++g) total[g] /= number[g];
    sum += contrast(*std::max_element(total.begin(), total.end()),
                    *std::min_element(total.begin(), total.end()));
    ++stretches;
  }
  return stretches ? sum / stretches : 0;
}

double backbeat(const Accents& accents) {
  double sum = 0;
  int stretches = 0;
  for (int64_t i = 0; i + 8 <= accents.count(); i += 8) {
    const int64_t end = std::min(accents.count(), i + 16);
    double low[2] = {}, high[2] = {}, number[2] = {};
    for (int64_t j = i; j < end; ++j) {
      low[j % 2] += accents.at(kLow, j, 0);
      high[j % 2] += accents.at(kHigh, j, 0);
      ++number[j % 2];
    }
    sum += contrast(low[0] / number[0], low[1] / number[1]) *
           contrast(high[0] / number[0], high[1] / number[1]);
    ++stretches;
  }
  return stretches ? sum / stretches : 0;
}

// Best over the phases of `groups`: contrast of what lies at `ours` against what lies at `others`.
double cross(const Accents& a, int groups, std::initializer_list<double> ours,
             std::initializer_list<double> others) {
  double sum = 0;
  int stretches = 0;
  for (int64_t i = 0; i + 13 < a.count(); i += 12) {
    double best = -1;
    for (int phase = 0; phase < groups; ++phase) {
      double our = 0, other = 0, n = 0;
      for (int64_t j = i + phase; j < i + 12; j += groups, ++n) {
        for (const double p : ours) our += a.at(kAll, j, p) / double(ours.size());
        for (const double p : others) other += a.at(kAll, j, p) / double(others.size());
      }
      best = std::max(best, contrast(our / n, other / n));
    }
    sum += best;
    ++stretches;
  }
  return stretches ? sum / stretches : 0;
}

double mean_of(const std::vector<double>& v) {
  double s = 0;
  for (double x : v) s += x;
  return v.empty() ? 0 : s / double(v.size());
}

// Mean over stretches of twelve beats of the largest mean change on every second, third or fourth.
double bar_change(const std::vector<double>& x) {
  double sum = 0;
  int stretches = 0;
  const auto n = int64_t(x.size());
  for (int64_t i = 0; i + 11 <= n; i += 12) {
    double best = 0;
    for (int groups : {2, 3, 4})
      for (int e = 0; e < groups; ++e) {
        double q = 0;
        int k = 0;
        for (int64_t j = i + e; j < i + 12 && j < n; j += groups, ++k) q += x[j];
        if (k) best = std::max(best, q / k);
      }
    sum += best;
    ++stretches;
  }
  return stretches ? sum / stretches : 0;
}

// WEIGHTS
constexpr std::array<double, 55> kWeights{
    1.022,  // bpm
    -0.2646,  // bpm2
    -0.4602,  // on
    0.3363,  // half
    0.5247,  // third
    -1.821,  // quarter
    -0.06238,  // lon
    -0.7749,  // lhalf
    0.2308,  // hon
    -0.7042,  // hhalf
    -1.024,  // lpar
    -0.2116,  // mpar
    -1.848,  // hpar
    -0.7085,  // apar
    -0.9867,  // backbeat
    -0.6198,  // mod3l
    -1.378,  // mod3a
    0.2458,  // nov
    7.59,  // nhalf
    -1.618,  // npar
    -0.4395,  // sim1
    -1.632,  // sim2
    -0.6907,  // sim3
    0.9134,  // sim4
    -40.25,  // irr
    0.3183,  // tot
    -0.5938,  // fast
    -4.985,  // slow
    -1.95,  // sixth
    -0.4458,  // lmod4
    0.6434,  // hpar2
    -0.7141,  // mon
    1.25,  // mhalf
    -0.4685,  // x32
    -0.1483,  // x23
    -0.4901,  // bar5
    1.117,  // swing
    2.357,  // lswing
    -5.121,  // hbar
    1.987,  // nbar
    0.6921,  // linon
    -0.3839,  // linhalf
    -1.124,  // linpar
    -1.294,  // lin3
    0.5248,  // lin4
    -1.076,  // linthird
    -0.1138,  // simx
    0.5717,  // half_t
    0.5054,  // third_t
    -0.1628,  // apar_t
    0.0327,  // lpar_t
    -0.2524,  // mod3_t
    0.2399,  // x32_t
    0.6183,  // linhalf_t
    -1.524,  // linpar_t
};
// END

}  // namespace

double log_odds(std::span<const float> evidence) {
  double sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) sum += kWeights[i] * evidence[i];
  return sum;
}

std::vector<float> beat_evidence(const BeatBands& bands, const BeatChain& chain) {
  const auto& b = chain.beats;
  const auto n = int64_t(b.size());
  const Accents a(bands, b);
  const double bpm = 60 * bands.frames_per_second * double(n - 1) / double(b.back() - b.front());
  const double octave = std::log2(bpm / 110);
  const auto c = [&](Band band, std::initializer_list<double> x, std::initializer_list<double> y) {
    return contrast(a.mean(band, x), a.mean(band, y));
  };
  const auto thirds = [&](Band band) {
    return contrast(std::max(a.mean(band, {1 / 3.}), a.mean(band, {2 / 3.})), a.mean(band, {0}));
  };
  std::vector<double> changes, between;
  for (int64_t i = 1; i + 1 < n; ++i) {
    changes.push_back(spectral_change(bands, double(b[i - 1]), double(b[i]), double(b[i + 1])));
    const double d = double(b[i + 1] - b[i]), m = double(b[i]) + d / 2;
    between.push_back(spectral_change(bands, m - d, m, m + d));
  }
  double npar = 0;
  {
    int k = 0;
    for (int64_t i = 0; i + 8 < int64_t(changes.size()); i += 8) {
      double q[2] = {}, w[2] = {};
      for (int64_t j = i; j < std::min<int64_t>(changes.size(), i + 16); ++j) q[j % 2] += changes[j], ++w[j % 2];
      npar += std::abs(contrast(q[0] / w[0], q[1] / w[1]));
      ++k;
    }
    npar /= std::max(1, k);
  }
  std::array<double, 8> sim{};
  {
    constexpr int kParts = 6;
    std::vector<std::array<double, kParts>> x;
    for (int64_t i = 0; i + 1 < n; ++i)
      x.push_back({a.at(kLow, i, 0), a.at(kLow, i, .5), a.at(kMid, i, 0), a.at(kMid, i, .5),
                   a.at(kHigh, i, 0), a.at(kHigh, i, .5)});
    for (int part = 0; part < kParts; ++part) {
      double mean = 0, var = 0;
      for (auto& v : x) mean += v[part] / double(x.size());
      for (auto& v : x) var += (v[part] - mean) * (v[part] - mean) / double(x.size());
      for (int lag = 1; lag <= 7; ++lag) {
        double s = 0;
        for (size_t i = 0; i + lag < x.size(); ++i) s += (x[i][part] - mean) * (x[i + lag][part] - mean);
        if (int64_t(x.size()) > lag) sim[lag] += s / double(x.size() - lag) / (var + .05) / kParts;
      }
    }
  }
  double irregular = 0;
  for (int64_t i = 2; i < n; ++i) {
    const double r = std::log(double(b[i] - b[i - 1]) / double(b[i - 1] - b[i - 2]));
    irregular += std::min(r * r, .04);
  }
  irregular = std::sqrt(irregular / double(std::max<int64_t>(1, n - 2)));
  const double nbar = bar_change(changes), hbar = bar_change(between);
  const double half = c(kAll, {.5}, {0}), third = thirds(kAll), apar = alternation(a, kAll, 2),
               lpar = alternation(a, kLow, 2), hpar = alternation(a, kHigh, 2),
               mod3 = alternation(a, kAll, 3), x32 = cross(a, 2, {2 / 3., 4 / 3.}, {1}),
               x23 = cross(a, 3, {1.5}, {1, 2}), linhalf = c(kLoud, {.5}, {0}), linpar = alternation(a, kLoud, 2);
  const std::vector<double> f{
      octave, octave * octave, std::log(a.mean(kAll, {0}) + .1), half, third, c(kAll, {.25, .75}, {0}),
      std::log(a.mean(kLow, {0}) + .1), c(kLow, {.5}, {0}), std::log(a.mean(kHigh, {0}) + .1),
      c(kHigh, {.5}, {0}), lpar, alternation(a, kMid, 2), hpar, apar, backbeat(a),
      alternation(a, kLow, 3), mod3, std::log(mean_of(changes) + .05),
      contrast(mean_of(between), mean_of(changes)), npar, sim[1], sim[2], sim[3], sim[4], irregular,
      chain.score / (double(bands.frames) / bands.frames_per_second), std::max(0., octave - .55),
      std::max(0., -.6 - octave), c(kAll, {1 / 6., 5 / 6.}, {0}), alternation(a, kLow, 4), hpar * lpar,
      std::log(a.mean(kMid, {0}) + .1), c(kMid, {.5}, {0}), x32, x23, alternation(a, kAll, 5),
      c(kAll, {.58, .63, .667}, {.333, .37, .42}), c(kLoud, {.58, .63, .667}, {.333, .37, .42}),
      contrast(hbar, nbar), std::log(nbar + .05), std::log(a.mean(kLoud, {0}) + .1), linhalf, linpar,
      alternation(a, kLoud, 3), alternation(a, kLoud, 4), thirds(kLoud),
      std::max({sim[2], sim[3], sim[5], sim[7]}) - sim[1], half * octave, third * octave, apar * octave,
      lpar * octave, mod3 * octave, x32 * octave, linhalf * octave, linpar * octave};
  return {f.begin(), f.end()};
}

}  // namespace vmr::audio::detail
