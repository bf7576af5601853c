// vmr probe: what media files hold.
#include "vmr/media/probe.h"

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "shared.h"
#include "vmr/core/error.h"

namespace vmr::apps {
namespace {

struct Options {
  Common common;
  std::vector<std::string> files;
  bool fast = false;
};

nlohmann::json to_json(const media::MediaInfo& info) {
  nlohmann::json json = {{"path", info.path},
                         {"format", info.format},
                         {"duration_seconds", info.duration_seconds},
                         {"problems", info.problems}};
  if (const auto& video = info.video) {
    json["video"] = {{"codec", video->codec},
                     {"width", video->width},
                     {"height", video->height},
                     {"fps", video->fps},
                     {"frame_rate", video->frame_rate},
                     {"rotation_degrees", video->rotation_degrees},
                     {"start_seconds", video->start_seconds},
                     {"duration_seconds", video->duration_seconds},
                     {"frames", video->frames},
                     {"variable_rate", video->variable_rate},
                     {"frame_seconds", video->frame_seconds},
                     {"key_frame_seconds", video->key_frame_seconds}};
  }
  if (const auto& audio = info.audio) {
    json["audio"] = {{"codec", audio->codec},
                     {"rate_hz", audio->rate_hz},
                     {"channels", audio->channels},
                     {"start_seconds", audio->start_seconds},
                     {"duration_seconds", audio->duration_seconds}};
  }
  return json;
}

void print(const media::MediaInfo& info, bool scanned) {
  std::cout << info.path << ": " << info.format << ", " << info.duration_seconds << " s\n";
  if (const auto& video = info.video) {
    std::cout << "  video  " << video->codec << " " << video->width << "x" << video->height << ", "
              << video->fps << " frames/s" << (video->variable_rate ? " (variable)" : "");
    if (video->frames >= 0) std::cout << ", " << counted(video->frames, "frame");
    if (scanned)
      std::cout << ", " << counted(int64_t(video->key_frame_seconds.size()), "key frame");
    std::cout << ", from " << video->start_seconds << " s for " << video->duration_seconds << " s";
    if (video->rotation_degrees != 0) std::cout << ", turned " << video->rotation_degrees;
    std::cout << "\n";
  }
  if (const auto& audio = info.audio) {
    std::cout << "  audio  " << audio->codec << " " << audio->rate_hz << " Hz, "
              << counted(audio->channels, "channel") << ", from " << audio->start_seconds
              << " s for " << audio->duration_seconds << " s\n";
  }
  for (const auto& problem : info.problems) std::cout << "  problem: " << problem << "\n";
}

int run(const Options& options) {
  media::ProbeOptions probe_options;
  probe_options.scan = !options.fast;
  auto documents = nlohmann::json::array();
  std::vector<ItemFailure> failures;
  bool problems = false;
  for (const auto& file : options.files) {
    try {
      const auto info = media::probe(file, probe_options);
      if (options.common.json) {
        documents.push_back(to_json(info));
      } else {
        print(info, probe_options.scan);
      }
      problems = problems || !info.problems.empty();
    } catch (const MediaError& error) {
      failures.push_back({file, error.what()});
    }
  }
  if (options.common.json) print_json(documents);
  const int code = report_failures(failures, int64_t(options.files.size() - failures.size()));
  return code == kDone && problems ? kSomeFailed : code;
}

}  // namespace

Command add_probe(CLI::App& root) {
  auto options = std::make_shared<Options>();
  auto* app = root.add_subcommand(
      "probe", "streams, exact duration, frame times, key frames and problems of media files");
  add_common(*app, options->common);
  app->add_option("files", options->files, "media files")->required();
  app->add_flag("--fast", options->fast, "trust the header instead of reading all packets");
  add_footer(*app, "A file with a problem counts as failed: exit code 1.");
  return {app, [options] { return run(*options); }};
}

}  // namespace vmr::apps
