#include "vmr/train/conformer_task.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/core/json_reader.h"

namespace vmr::train {
namespace {

using nlohmann::json;

// Clips of [steps] without the features axis ([3] flow values) are no Conformer input.
void check_fits(const data::ClipDataset& clips, const nn::ConformerOptions& options) {
  const auto& shape = clips.clip_shape();
  VMR_CHECK(shape.size() == 2 && shape[1] == options.input_dim(),
            "ConformerPretraining: expected clips [steps, ", options.input_dim(), "], got ",
            at::IntArrayRef(shape));
  VMR_CHECK(static_cast<int64_t>(clips.classes().size()) == options.classes(),
            "ConformerPretraining: the Conformer has ", options.classes(),
            " classes, the clips have ", clips.classes().size());
}

}  // namespace

ConformerPretraining::ConformerPretraining(nn::Conformer conformer, const data::ClipDataset& train,
                                           const data::ClipDataset* valid,
                                           ConformerTaskOptions options)
    : conformer_(std::move(conformer)),
      train_(&train),
      valid_(valid),
      options_(std::move(options)) {
  check_fits(train, conformer_->options);
  if (valid == nullptr) return;
  check_fits(*valid, conformer_->options);
  VMR_CHECK(train.classes() == valid->classes(),
            "ConformerPretraining: training and validation clips have other classes; make both "
            "from one manifest");
}

void ConformerPretraining::begin_epoch(int64_t epoch, uint64_t seed) {
  batches_ = train_->epoch_batches(seed, epoch);
}

loss::Terms ConformerPretraining::step(int64_t step) {
  const auto device = conformer_->parameters().front().device();
  const auto batch = train_->collate(batches_.at(static_cast<size_t>(step))).to(device);
  const at::Tensor logits = conformer_->forward(batch.values);
  loss::Terms terms;
  terms.add("cross_entropy", 1.0, at::cross_entropy_loss(logits, batch.labels));
  const at::Tensor right = logits.detach().argmax(1).eq(batch.labels);
  terms.monitors.emplace_back("accuracy", right.to(at::kDouble).mean().item<double>());
  return terms;
}

std::map<std::string, double> ConformerPretraining::validate() {
  if (valid_ == nullptr) return {};
  const at::NoGradGuard no_grad;
  const bool training = conformer_->is_training();
  conformer_->train(options_.validate_in_training);
  const auto device = conformer_->parameters().front().device();
  double loss = 0, right = 0;
  for (const auto& clips : valid_->ordered_batches()) {
    const auto batch = valid_->collate(clips).to(device);
    const at::Tensor logits = conformer_->forward(batch.values);
    loss += at::cross_entropy_loss(logits, batch.labels, {}, at::Reduction::Sum).item<double>();
    right += logits.argmax(1).eq(batch.labels).sum().item<double>();
  }
  conformer_->train(training);
  const auto count = static_cast<double>(valid_->size());
  return {{"loss", loss / count}, {"accuracy", right / count}};
}

std::string ConformerPretraining::describe() const {
  return json({{"kind", "conformer"},
               {"options", to_json(conformer_->options)},
               {"classes", train_->classes()}})
      .dump();
}

std::string ConformerPretraining::settings() const {
  const auto& clips = train_->options();
  const std::vector<std::string> none;
  return json({{"feature", clips.feature},
               {"label_field", clips.label_field},
               {"data", json::parse(options_.data)},
               {"validate_in_training", options_.validate_in_training},
               {"labels_hash", hash_text(json({train_->classes(), train_->labels()}).dump())},
               {"batch", clips.batch},
               {"group_items", clips.group_items},
               {"clips", train_->size()},
               {"items_hash", hash_text(json(train_->items()).dump())},
               {"validation_items_hash", hash_text(json(valid_ ? valid_->items() : none).dump())}})
      .dump();
}

json to_json(const nn::ConformerOptions& options) {
  const bool ut = options.positions() == nn::RelPosMode::ut_cmvmr;
  const bool model = options.scale_by() == nn::ScoreScale::model;
  return {{"input_dim", options.input_dim()},
          {"classes", options.classes()},
          {"dim", options.dim()},
          {"layers", options.layers()},
          {"heads", options.heads()},
          {"feed_forward_expansion", options.feed_forward_expansion()},
          {"conv_expansion", options.conv_expansion()},
          {"kernel", options.kernel()},
          {"input_dropout", options.input_dropout()},
          {"feed_forward_dropout", options.feed_forward_dropout()},
          {"attention_dropout", options.attention_dropout()},
          {"conv_dropout", options.conv_dropout()},
          {"positions", ut ? "ut_cmvmr" : "transformer_xl"},
          {"scale_by", model ? "model" : "head"},
          {"input_scale", options.input_scale()}};
}

nn::ConformerOptions conformer_options(const json& document, const std::string& file) {
  JsonReader reader(document, file);
  int64_t input_dim = 0, classes = 0;
  reader.field("input_dim", input_dim);
  reader.field("classes", classes);
  nn::ConformerOptions options(input_dim, classes);
  reader.field("dim", options.dim());
  reader.field("layers", options.layers());
  reader.field("heads", options.heads());
  reader.field("feed_forward_expansion", options.feed_forward_expansion());
  reader.field("conv_expansion", options.conv_expansion());
  reader.field("kernel", options.kernel());
  reader.field("input_dropout", options.input_dropout());
  reader.field("feed_forward_dropout", options.feed_forward_dropout());
  reader.field("attention_dropout", options.attention_dropout());
  reader.field("conv_dropout", options.conv_dropout());
  reader.choice<nn::RelPosMode>(
      "positions", options.positions(),
      {{"ut_cmvmr", nn::RelPosMode::ut_cmvmr}, {"transformer_xl", nn::RelPosMode::transformer_xl}});
  reader.choice<nn::ScoreScale>("scale_by", options.scale_by(),
                                {{"model", nn::ScoreScale::model}, {"head", nn::ScoreScale::head}});
  reader.field("input_scale", options.input_scale());
  reader.finish();
  return options;
}

}  // namespace vmr::train
