#include "model/ut_cmvmr_spaces.h"

#include "vmr/core/error.h"
#include "vmr/nn/cross_attention.h"

namespace vmr::model {
namespace {

using Field = at::Tensor Path::*;

// Sends `from` of every path that has one through a net into `to`: in one batch, so that batch
// statistics in training and their averages in evaluation describe one mixture, or a call each as
// the published code does.
void through(nn::EmbeddingNet& net, bool separate, std::initializer_list<Path*> paths, Field from,
             Field to) {
  std::vector<at::Tensor> inputs;
  for (const auto* path : paths) {
    if ((path->*from).defined()) inputs.push_back(path->*from);
  }
  if (inputs.empty()) return;
  const auto joined = separate ? at::Tensor() : net(at::cat(inputs));
  int64_t begin = 0;
  for (auto* path : paths) {
    if (!(path->*from).defined()) continue;
    const auto rows = (path->*from).size(0);
    path->*to = separate ? net(path->*from) : joined.narrow(0, begin, rows);
    begin += rows;
  }
}

// The mean of the transformer's steps, for the pairs and, below them, their negatives.
void run_former(nn::TransformerEncoder& former, const at::Tensor& own, const at::Tensor& negative,
                Path& path, Path& negative_path) {
  const auto rows = own.size(0);
  const auto mean = former->mean(negative.defined() ? at::cat({own, negative}) : own);
  path.phi = mean.narrow(0, 0, rows);
  if (negative.defined()) negative_path.phi = mean.narrow(0, rows, rows);
}

void encode(UtCmvmr::Nets& n, const data::PairBatch& batch, Spaces& s) {
  const auto music = n.music_sequence(batch.music), video = n.video_sequence(batch.video);
  const auto size = music.size(0);
  VMR_CHECK(size >= 2 && video.size(0) == size, "UtCmvmr::loss: expected at least 2 pairs, got ",
            size, " music and ", video.size(0), " video items");
  at::Tensor negative_music, negative_video;
  if (uses_negatives(n.options)) {
    const auto& same = n.options.reference.positive_as_negative;
    negative_music = n.music_sequence(batch.negative_music, same ? &batch.music : nullptr);
    negative_video = n.video_sequence(batch.negative_video, same ? &batch.video : nullptr);
    VMR_CHECK(negative_music.size(0) == size && negative_video.size(0) == size,
              "UtCmvmr::loss: expected one negative music and video for each of ", size, " pairs");
  }
  const auto placed = [&](const at::Tensor& sequence) {
    return sequence.defined() ? n.with_positions(sequence) : sequence;
  };
  run_former(n.A_enc_former, placed(music), placed(negative_music), s.music, s.negative_music);
  run_former(n.V_enc_former, placed(video), placed(negative_video), s.video, s.negative_video);
  const bool separate = n.options.reference.separate_statistics;
  through(n.A_enc, separate, {&s.music, &s.negative_music}, &Path::phi, &Path::phi);
  through(n.V_enc, separate, {&s.video, &s.negative_video}, &Path::phi, &Path::phi);
}

void attend(UtCmvmr::Nets& n, Spaces& s) {
  const auto pair = [&](const at::Tensor& music, const at::Tensor& video, Path& a, Path& v) {
    std::tie(a.attended, v.attended) =
        nn::attend_pair(n.cross_attention, n.pos_emb1D, music, video);
  };
  pair(s.music.phi, s.video.phi, s.music, s.video);
  if (s.negative_music.phi.defined()) {
    pair(s.negative_music.phi, s.negative_video.phi, s.negative_music, s.negative_video);
  }
  if (n.options.loss.mismatched > 0) {
    pair(s.music.phi, s.video.phi.roll(1, 0), s.mismatched_music, s.mismatched_video);
  }
  if (n.options.loss.independent > 0) {
    s.alone_music.attended = n.music_alone(s.music.phi);
    s.alone_video.attended = n.video_alone(s.video.phi);
  }
}

at::Tensor checked_text(const UtCmvmr::Nets& n, const at::Tensor& text, int64_t size,
                        const char* name) {
  VMR_CHECK(text.defined() && text.dim() == 2 && text.size(0) == size &&
                text.size(1) == n.options.text_dim,
            "UtCmvmr::loss: expected ", name, " [", size, ", ", n.options.text_dim,
            "]; set text_dim to 0 for data without tags");
  const auto values = text.to(n.pos_emb1D.scalar_type());
  return n.options.reference.unnormalised_text ? values : unit_rows(values);
}

void finish(const Spaces& s, const data::ReferenceBehaviour& reference,
            std::initializer_list<Path*> paths) {
  for (auto* path : paths) {
    if (!path->raw.defined()) continue;
    const bool negative = path == &s.negative_music || path == &s.negative_video;
    const bool as_is = negative && reference.unnormalised_negatives;
    path->theta = as_is ? path->raw : unit_rows(path->raw);
    if (!as_is) path->rho = unit_rows(path->rho);
  }
}

}  // namespace

Spaces spaces_of(UtCmvmr::Nets& n, const data::PairBatch& batch) {
  const bool separate = n.options.reference.separate_statistics;
  Spaces s;
  encode(n, batch, s);
  attend(n, s);
  if (n.options.text_dim > 0) {
    // Paths of the tags enter the projection as their "attended" vectors.
    s.sentence = s.word.attended = checked_text(n, batch.text, s.music.phi.size(0), "text");
    if (n.options.loss.set == LossSet::paper || (separate && batch.negative_text.defined())) {
      s.negative_word.attended =
          checked_text(n, batch.negative_text, s.music.phi.size(0), "negative_text");
    }
    through(n.W_proj, separate, {&s.word, &s.negative_word}, &Path::attended, &Path::raw);
  }
  through(n.A_proj, separate, {&s.music, &s.negative_music, &s.alone_music, &s.mismatched_music},
          &Path::attended, &Path::raw);
  through(n.V_proj, separate, {&s.video, &s.negative_video, &s.alone_video, &s.mismatched_video},
          &Path::attended, &Path::raw);
  // The published code's order of calls, which its running averages show.
  const auto all = {&s.word,
                    &s.negative_word,
                    &s.music,
                    &s.negative_music,
                    &s.video,
                    &s.negative_video,
                    &s.alone_music,
                    &s.alone_video,
                    &s.mismatched_music,
                    &s.mismatched_video};
  through(n.D, separate, all, &Path::raw, &Path::rho);
  if (const auto& w = n.options.loss; w.regular * w.reconstruction > 0 || w.structure > 0) {
    s.video.rebuilt = n.V_rec(s.video.raw);
    s.music.rebuilt = n.A_rec(s.music.raw);
  }
  finish(s, n.options.reference, all);
  return s;
}

}  // namespace vmr::model
