// The film with each hit's track under it.
#include <cctype>
#include <cstdio>
#include <iostream>

#include "editor_options.h"
#include "fit_files.h"
#include "printable.h"
#include "shared.h"
#include "vmr/pipeline/previews.h"

namespace vmr::apps {
namespace {

namespace fs = std::filesystem;

// For messages.
std::string title_of(const retrieval::Hit& hit) {
  return printable(hit.metadata.value("title", hit.id));
}

// "01_Calm_piano.mp4": what any file system takes, in the order of the ranking.
std::string preview_name(size_t rank, const retrieval::Hit& hit, const fs::path& film) {
  std::string title = hit.metadata.value("title", hit.id);
  constexpr size_t kLongest = 60;
  if (title.size() > kLongest) {
    size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(title[end]) & 0xC0) == 0x80) --end;
    title.resize(end);  // not inside of a letter of several bytes
  }
  for (char& letter : title) {
    const auto byte = static_cast<unsigned char>(letter);
    const bool plain = std::isalnum(byte) || letter == '-' || letter == '.' || byte >= 128;
    if (!plain) letter = '_';
  }
  char number[24];
  std::snprintf(number, sizeof number, "%02zu_", rank + 1);
  const auto kind = film.extension();
  const bool known = kind == ".mp4" || kind == ".m4v" || kind == ".mov" || kind == ".mkv";
  return number + title + (known ? kind.string() : ".mkv");
}

}  // namespace

void write_fit_previews(const FitFiles& files, const pipeline::FilmAnalysis& film,
                        const std::vector<pipeline::FitHit>& hits,
                        std::vector<ItemFailure>& failures, const RunControl& watch) {
  if (interrupted()) return;
  std::error_code error;
  fs::create_directories(files.previews, error);
  if (error) {
    failures.push_back({files.previews, "cannot be made: " + error.message()});
    return;
  }
  std::vector<pipeline::PreviewItem> items;
  for (const auto& found : hits) {
    media::PreviewOptions options;
    options.offset_seconds = found.fit.offset_seconds;
    options.stretch = found.fit.stretch;
    options.target_lufs = files.preview_lufs;
    items.push_back({pipeline::track_path(found.hit), options,
                     fs::path(files.previews) / preview_name(items.size(), found.hit, film.path)});
  }
  const auto summary = pipeline::write_previews(film.path, items, watch);
  end_progress();
  failures.insert(failures.end(), summary.failures.begin(), summary.failures.end());
  int64_t written = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    if (!summary.previews[i]) continue;
    ++written;
    std::cerr << "preview with " << title_of(hits[i].hit) << loudness_text(*summary.previews[i])
              << ": " << items[i].out.string() << "\n";
  }
  std::cerr << counted(written, "preview") << ": " << files.previews << "\n";
}

}  // namespace vmr::apps
