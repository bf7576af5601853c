#include "vmr/train/trainer.h"

#include <ATen/ATen.h>

#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/file_io.h"
#include "data/random_stream.h"
#include "train/adam.h"
#include "train/run_folder.h"
#include "vmr/core/error.h"
#include "vmr/train/checkpoint.h"
#include "vmr/train/event_log.h"

namespace vmr::train {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Everything beside weights and optimiser that a run needs to continue.
struct Position {
  int64_t epoch = 0, epoch_step = 0, step = 0;
  std::map<std::string, double> epoch_sums;  // of this epoch's terms and monitors
  std::map<std::string, double> figures;     // of the last validation
  double best_value = std::numeric_limits<double>::quiet_NaN();
  int64_t best_epoch = -1;
  std::string best_checkpoint;
  int64_t worse = 0;  // validations since the best
  bool stopped_early = false;
};

json finite(double value) { return std::isfinite(value) ? json(value) : json(); }

json finite(const std::map<std::string, double>& values) {
  json result = json::object();
  for (const auto& [name, value] : values) result[name] = finite(value);
  return result;
}

double number(const json& value) {
  return value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
}

std::string to_text(const Position& p) {
  return json({{"epoch", p.epoch},
               {"epoch_step", p.epoch_step},
               {"step", p.step},
               {"epoch_sums", finite(p.epoch_sums)},
               {"figures", finite(p.figures)},
               {"best_value", finite(p.best_value)},
               {"best_epoch", p.best_epoch},
               {"best_checkpoint", p.best_checkpoint},
               {"worse", p.worse},
               {"stopped_early", p.stopped_early}})
      .dump();
}

Position parse_position(const std::string& text) {
  Position p;
  try {
    const json document = json::parse(text);
    document.at("epoch").get_to(p.epoch);
    document.at("epoch_step").get_to(p.epoch_step);
    document.at("step").get_to(p.step);
    for (const auto& item : document.at("epoch_sums").items()) {
      p.epoch_sums[item.key()] = number(item.value());
    }
    for (const auto& item : document.at("figures").items()) {
      p.figures[item.key()] = number(item.value());
    }
    p.best_value = number(document.at("best_value"));
    document.at("best_epoch").get_to(p.best_epoch);
    document.at("best_checkpoint").get_to(p.best_checkpoint);
    document.at("worse").get_to(p.worse);
    document.at("stopped_early").get_to(p.stopped_early);
  } catch (const json::exception& error) {
    throw StoreError(std::string("trainer.safetensors: the position cannot be read: ") +
                     error.what());
  }
  return p;
}

// One run: the loop of train() and what it carries from step to step.
class Run {
 public:
  Run(TrainingTask& task, const std::filesystem::path& folder, const TrainerOptions& options,
      const RunControl& control, const std::map<std::string, std::string>& files)
      : task_(task),
        options_(options),
        control_(control),
        steps_per_epoch_(task.steps_per_epoch()),
        folder_(folder, options, task, control),
        adam_(task.module(), options) {
    VMR_CHECK(steps_per_epoch_ >= 1, "train: the task has no steps in an epoch");
    for (const auto& [name, text] : files) {
      detail::write_file_atomically(folder_.path() / name, text);
    }
  }

  TrainSummary train() {
    const int64_t resumed = resume();
    log_ = std::make_unique<EventLog>(
        folder_.path(), EventLogOptions{options_.tensorboard, at_.step > 0 ? at_.step : -1});
    saved_at_ = Clock::now();
    bool stopped = false;
    while (!stopped && at_.epoch < options_.epochs && !at_.stopped_early) {
      task_.begin_epoch(at_.epoch, options_.seed);
      task_.module().train();
      while (at_.epoch_step < steps_per_epoch_ && !(stopped = control_.stop.stop_requested())) {
        step();
        if (at_.epoch_step < steps_per_epoch_ && checkpoint_due()) save();
      }
      if (!stopped) end_epoch();
    }
    if (saved_step_ != at_.step) save();
    return summary(resumed, !stopped);
  }

 private:
  // Loads the newest readable checkpoint; returns its step, 0 where there is none.
  int64_t resume() {
    const auto checkpoints = list_checkpoints(folder_.path());
    for (auto newest = checkpoints.rbegin(); newest != checkpoints.rend(); ++newest) {
      try {
        const TrainerState state = read_trainer_state(*newest);
        const auto position = state.metadata.find("position");
        if (position == state.metadata.end()) {
          throw StoreError("checkpoint: " + newest->string() + " is not for resuming");
        }
        const Position parsed = parse_position(position->second);
        load_weights(*newest, task_.module());
        adam_.load(state);
        at_ = parsed;
      } catch (const StoreError& error) {
        control_.log(LogLevel::warning, std::string("train: ") + error.what());
        folder_.set_aside(*newest);
        continue;
      }
      saved_step_ = at_.step;
      if (!at_.best_checkpoint.empty()) write_best();
      control_.log(LogLevel::info, "train: continues from " + newest->string());
      return at_.step;
    }
    if (!checkpoints.empty()) {
      throw StoreError("train: no checkpoint of " + folder_.path().string() +
                       " is readable; they were renamed to *.damaged, start again or restore one");
    }
    return 0;
  }

  void step() {
    const auto begin = Clock::now();
    // Dropout and the like depend on (seed, step) alone, so no generator's state is ever stored.
    at::manual_seed(
        data::random_stream(options_.seed, data::Purpose::torch_generators, at_.step).next());
    const double rate =
        learning_rate(options_.schedule, options_.learning_rate, at_.step, at_.epoch);
    loss::Terms terms = task_.step(at_.epoch_step);
    const at::Tensor total = terms.total();
    const auto values = read(terms, total);
    check_finite(terms, values, rate);
    adam_.clear_gradients();
    total.backward();
    const double norm = adam_.clip_gradients();
    if (!std::isfinite(norm)) fail("the gradient's norm", norm, rate);
    adam_.step(rate);
    ++at_.epoch_step;
    ++at_.step;
    for (const auto& [name, value] : values) at_.epoch_sums[name] += value;
    control_.progress({"train", at_.step, options_.epochs * steps_per_epoch_,
                       detail::concat("epoch ", at_.epoch, " loss ", values.at("total"))});
    if (at_.step % options_.log_every_steps != 0) return;
    std::map<std::string, double> scalars = {{"train/learning_rate", rate},
                                             {"train/gradient_norm", norm}};
    for (const auto& [name, value] : values) scalars["train/" + name] = value;
    log_->write("step", at_.step,
                {{"epoch", at_.epoch},
                 {"epoch_step", at_.epoch_step},
                 {"learning_rate", rate},
                 {"gradient_norm", norm},
                 {"values", finite(values)},
                 {"seconds", seconds_since(begin)}},
                scalars);
  }

  // Terms, monitors and "total" as numbers, in one copy from the device.
  static std::map<std::string, double> read(const loss::Terms& terms, const at::Tensor& total) {
    std::vector<at::Tensor> scalars = {total.detach().to(at::kDouble)};
    for (const auto& [name, value] : terms.values) {
      scalars.push_back(value.detach().to(at::kDouble).reshape({}));
    }
    const at::Tensor numbers = at::stack(scalars).cpu();
    const auto* number = numbers.const_data_ptr<double>();
    std::map<std::string, double> values = {{"total", *number}};
    for (const auto& [name, value] : terms.values) values[name] = *++number;
    for (const auto& [name, value] : terms.monitors) values[name] = value;
    return values;
  }

  void check_finite(const loss::Terms& terms, const std::map<std::string, double>& values,
                    double rate) const {
    for (const auto& [name, tensor] : terms.values) {
      const double value = values.at(name);
      if (!std::isfinite(value)) fail("loss term '" + name + "'", value, rate);
    }
    if (!std::isfinite(values.at("total"))) fail("the total loss", values.at("total"), rate);
  }

  [[noreturn]] void fail(const std::string& what, double value, double rate) const {
    throw Error(detail::concat("train: ", what, " is ", value, " at epoch ", at_.epoch, ", step ",
                               at_.epoch_step, " (step ", at_.step, " of the run), learning rate ",
                               rate, "; lower the learning rate or look at this batch's features"));
  }

  void end_epoch() {
    std::map<std::string, double> means;
    for (const auto& [name, sum] : at_.epoch_sums) {
      means[name] = sum / static_cast<double>(steps_per_epoch_);
    }
    const int64_t done = at_.epoch + 1;
    const int64_t every = options_.validate_every_epochs;
    const bool validated = every > 0 && (done % every == 0 || done == options_.epochs);
    const bool better = validated && validate();
    std::map<std::string, double> scalars;
    for (const auto& [name, value] : means) scalars["epoch/" + name] = value;
    json fields = {{"epoch", at_.epoch}, {"values", finite(means)}};
    if (validated) {
      for (const auto& [name, value] : at_.figures) scalars["valid/" + name] = value;
      fields["figures"] = finite(at_.figures);
      fields["best"] = better;
    }
    log_->write("epoch", at_.step, std::move(fields), scalars);
    at_.epoch = done;
    at_.epoch_step = 0;
    at_.epoch_sums.clear();
    const bool last = done == options_.epochs || at_.stopped_early;
    if (better || last || done % options_.checkpoint_every_epochs == 0) save();
    if (better) write_best();
  }

  // Returns whether the figure is the best so far.
  bool validate() {
    at_.figures = task_.validate();
    if (at_.figures.empty()) return false;  // the task has no held-out data
    const auto found = at_.figures.find(task_.best_figure());
    VMR_CHECK(found != at_.figures.end(), "train: the best checkpoint goes by '",
              task_.best_figure(), "', which validate() does not return");
    const double value = found->second;
    const bool better =
        std::isnan(at_.best_value)
            ? !std::isnan(value)
            : (task_.larger_is_better() ? value > at_.best_value : value < at_.best_value);
    if (better) {
      at_.best_value = value;
      at_.best_epoch = at_.epoch;
      at_.best_checkpoint = RunFolder::checkpoint_name(at_.step);
      at_.worse = 0;
    } else {
      ++at_.worse;
      at_.stopped_early = options_.patience > 0 && at_.worse >= options_.patience;
    }
    return better;
  }

  bool checkpoint_due() const {
    const int64_t steps = options_.checkpoint_every_steps;
    const double seconds = options_.checkpoint_every_seconds;
    return (steps > 0 && at_.step % steps == 0) ||
           (seconds > 0 && seconds_since(saved_at_) >= seconds);
  }

  void save() {
    TrainerState state;
    adam_.save(state);
    state.metadata["position"] = to_text(at_);
    write_checkpoint(folder_.checkpoint_path(RunFolder::checkpoint_name(at_.step)), task_.module(),
                     folder_.model(), state);
    folder_.prune(options_.keep, at_.best_checkpoint);
    saved_step_ = at_.step;
    saved_at_ = Clock::now();
  }

  void write_best() const {
    folder_.write_best(at_.best_checkpoint, at_.best_epoch, task_.best_figure(), at_.best_value);
  }

  TrainSummary summary(int64_t resumed, bool finished) const {
    TrainSummary result;
    result.epochs = at_.epoch;
    result.steps = at_.step;
    result.resumed_step = resumed;
    result.finished = finished;
    result.stopped_early = at_.stopped_early;
    result.figures = at_.figures;
    if (!std::isnan(at_.best_value)) result.best_value = at_.best_value;
    result.best_epoch = at_.best_epoch;
    result.last_checkpoint = list_checkpoints(folder_.path()).back();
    result.best_checkpoint = find_best_checkpoint(folder_.path());
    result.seconds = seconds_since(started_);
    return result;
  }

  TrainingTask& task_;
  const TrainerOptions& options_;
  const RunControl& control_;
  const int64_t steps_per_epoch_;
  const Clock::time_point started_ = Clock::now();
  RunFolder folder_;
  Adam adam_;
  Position at_;
  std::unique_ptr<EventLog> log_;
  int64_t saved_step_ = -1;
  Clock::time_point saved_at_ = Clock::now();
};

}  // namespace

void validate(const TrainerOptions& options) {
  const auto positive = [](const char* name, double value) {
    VMR_CHECK(value > 0, "TrainerOptions: ", name, " must be above 0, got ", value);
  };
  const auto not_negative = [](const char* name, double value) {
    VMR_CHECK(value >= 0, "TrainerOptions: ", name, " must not be negative, got ", value);
  };
  positive("epochs", static_cast<double>(options.epochs));
  positive("learning_rate", options.learning_rate);
  positive("epsilon", options.epsilon);
  VMR_CHECK(options.beta1 >= 0 && options.beta1 < 1 && options.beta2 >= 0 && options.beta2 < 1,
            "TrainerOptions: beta1 and beta2 must lie in [0, 1), got ", options.beta1, " and ",
            options.beta2);
  not_negative("weight_decay", options.weight_decay);
  not_negative("clip_norm", options.clip_norm);
  not_negative("validate_every_epochs", static_cast<double>(options.validate_every_epochs));
  not_negative("patience", static_cast<double>(options.patience));
  positive("checkpoint_every_epochs", static_cast<double>(options.checkpoint_every_epochs));
  not_negative("checkpoint_every_steps", static_cast<double>(options.checkpoint_every_steps));
  not_negative("checkpoint_every_seconds", options.checkpoint_every_seconds);
  positive("keep", static_cast<double>(options.keep));
  positive("log_every_steps", static_cast<double>(options.log_every_steps));
  validate(options.schedule);
}

TrainSummary train(TrainingTask& task, const std::filesystem::path& run_folder,
                   const TrainerOptions& options, const RunControl& control,
                   const std::map<std::string, std::string>& files) {
  validate(options);
  return Run(task, run_folder, options, control, files).train();
}

}  // namespace vmr::train
