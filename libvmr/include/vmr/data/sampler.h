// The order in which a training run sees its films, and which films are their negatives. Batches
// are a pure function of (seed, epoch) and negatives of (seed, epoch, step): nothing is drawn from
// torch's generators or from std distributions, so a run that was cut goes on with the batches it
// would have had, on any machine. Classes are tags (Xin et al. 2023, UT-CMVMR, section 15 of its
// reference: class-balanced batches, negatives of another tag). Thread-safe: no state.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace vmr::data {

enum class SamplerKind {
  shuffled,         // every film once an epoch
  balanced_fixed,   // a fixed number of films of each class in a batch
  balanced_random,  // films drawn with replacement, classes weighted
};

// Where a batch goes that the rounded class counts do not fill.
enum class Remainder {
  round_robin,    // one film a class, the first class advancing from batch to batch
  largest_class,  // all to the first class with the largest count, as the published code does
};

struct SamplerOptions {
  SamplerKind kind = SamplerKind::balanced_fixed;
  // Class weight = alpha/classes + (1-alpha)*size/films: 1 = all classes alike, 0 = as they occur.
  double alpha = 1.0;
  int64_t batch = 8192;         // films a batch; shuffled: the last batch of an epoch is shorter
  int64_t steps_per_epoch = 0;  // of the balanced kinds; 0 = floor(films/batch), at least 1
  Remainder remainder = Remainder::round_robin;
};
void validate(const SamplerOptions& options);

// Batches of one epoch. shuffled: ceil(films/batch), but a last batch of one film joins the batch
// before (batch normalisation cannot train on one row).
int64_t batches_per_epoch(int64_t films, const SamplerOptions& options);

// Films of each class in batch number `batch_index` of a balanced_fixed epoch: weight*batch rounded
// half to even, then the remainder. Sizes are the classes' numbers of films, all > 0.
// {3, 1}, alpha 1, batch 4 -> {2, 2}; alpha 0 -> {3, 1}.
std::vector<int64_t> class_counts(const std::vector<int64_t>& class_sizes,
                                  const SamplerOptions& options, int64_t batch_index);

// All batches of an epoch as positions into class_of_film (any non-negative class numbers).
// balanced_fixed reads each class's shuffled films in a circle that goes on from batch to batch.
// Throws: InvalidArgument without films or for options out of range.
std::vector<std::vector<int64_t>> epoch_batches(const std::vector<int64_t>& class_of_film,
                                                const SamplerOptions& options, uint64_t seed,
                                                int64_t epoch);

// The first film for which no other has both another class and another track; nothing where all
// have a negative. One class and one track a film: classes (0, 1, 2), tracks (5, 5, 6) -> nothing,
// without the last film 0.
std::optional<int64_t> find_film_without_negative(const std::vector<int64_t>& class_of_film,
                                                  const std::vector<int64_t>& track_of_film);

// Draws a negative film for each film: first a tag uniformly among the other tags, then a film
// uniformly of that tag, both again where its track is the film's own.
class NegativeSampler {
 public:
  // One class and one track a film. Throws: InvalidArgument where the films have fewer than two
  // classes.
  NegativeSampler(std::vector<int64_t> class_of_film, std::vector<int64_t> track_of_film);

  // One negative for each of `films`. A step of -1 is validation's: fixed for a seed and epoch.
  // Throws: InvalidArgument naming a film all of whose candidates have its own track.
  std::vector<int64_t> draw(const std::vector<int64_t>& films, uint64_t seed, int64_t epoch,
                            int64_t step) const;

 private:
  std::vector<int64_t> class_of_film_, track_of_film_;  // classes renumbered 0, 1, ...
  std::vector<std::vector<int64_t>> films_of_class_;
};

}  // namespace vmr::data
