// ReferenceBehaviour: the mistakes and accidents of the published UT-CMVMR code that change
// numbers, each as a switch, so that its results can be reproduced and each departure measured.
// All off: libvmr does what the paper means. A stage reads the switches that concern it.
// Plain values: safe to share between threads for reading.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace vmr::data {

struct ReferenceBehaviour {
  // Extraction.
  bool bilinear_frames = false;  // frames are resized bilinearly; off: the recipe's kernel (area)
  bool bgr_grey = false;         // grey clips weight red by 0.114 and blue by 0.299
  // Clip encoders.
  bool unscaled_grey = false;         // grey values 0..255 enter the network
  bool embed_in_training = false;     // clip features with dropout and batch statistics of an item
  bool validate_in_training = false;  // figures of the held-out split with dropout and batch
                                      // statistics, which also move the running averages
  // Sampling.
  bool remainder_to_one_tag = false;  // what rounding leaves of a batch goes to the largest tag
  // Matching network.
  bool positive_as_negative = false;      // negatives have the positives' clip features; only their
                                          // rhythm and flow classes are another item's
  bool unnormalised_negatives = false;    // theta and rho of negatives keep their length
  bool unnormalised_text = false;         // sentence vectors keep their length in training
  bool freeze_pair_positions = false;     // the two positions of cross attention are not trained
  bool repeat_clips_elementwise = false;  // short music repeats clips as c0 c0 c1 c1, rhythm as
                                          // c0 c1 c0 c1
  bool same_track_negatives = false;      // films of one track are negatives of each other in a
                                          // batch
  bool separate_statistics = false;       // every net normalises positives, negatives and text in
                                          // calls of their own
  bool normalise_over_clips = false;      // each feature channel has unit length over the clips of
                                          // an item to retrieve; never in a loss
  bool raw_tag_products = false;          // how close two tags are is the product of their vectors
                                          // as they are, not the cosine
  bool adversarial_subtracted = false;    // the domain loss is subtracted for its classifier too,
                                          // which so learns to fail

  bool operator==(const ReferenceBehaviour&) const = default;
};

// Every switch on.
ReferenceBehaviour all_reference_behaviour();

// JSON object of the fields' names; only those that are on are written. Reading: absent = off.
// Throws: InvalidArgument for unknown names (with the nearest known one) and other types.
ReferenceBehaviour reference_behaviour(const nlohmann::json& object);
nlohmann::json to_json(const ReferenceBehaviour& behaviour);

}  // namespace vmr::data
