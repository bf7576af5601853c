// The tracks that films are fitted with: found, identified, analysed once.
#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <thread>

#include "core/ascii_lower.h"
#include "core/byte_text.h"
#include "pipeline/has_features.h"
#include "store/store_folder.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/pipeline/fit.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kFilesNote = "fit_files";
constexpr const char* kCacheNote = "fit_cache";  // of stores that fitting made
constexpr std::array kSoundExtensions = {".aac", ".aif", ".aiff", ".flac", ".m4a", ".mp3",
                                         ".oga", ".ogg", ".opus", ".wav",  ".wma"};

bool is_sound_file(const fs::path& path) {
  const auto extension = vmr::detail::ascii_lower(path.extension().string());
  return std::find(kSoundExtensions.begin(), kSoundExtensions.end(), extension) !=
         kSoundExtensions.end();
}

std::vector<fs::path> sound_files(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const auto& path : paths) {
    VMR_CHECK(fs::exists(path), "fit: ", path.string(), " is not there");
    if (!fs::is_directory(path)) {
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> found;
    constexpr auto kSkip = fs::directory_options::skip_permission_denied;
    std::error_code error;  // a link in a circle is no file, and no reason to stop
    for (fs::recursive_directory_iterator entry(path, kSkip), end; entry != end;
         entry.increment(error)) {
      if (entry->is_regular_file(error) && is_sound_file(entry->path())) {
        found.push_back(entry->path());
      }
    }
    if (error && found.empty()) {
      throw StoreError("fit: " + path.string() + " cannot be listed: " + error.message());
    }
    std::sort(found.begin(), found.end());
    files.insert(files.end(), found.begin(), found.end());
  }
  std::string known;
  for (const char* extension : kSoundExtensions) known += std::string(" ") + extension;
  VMR_CHECK(!files.empty(), "fit: no sound files in the folders given; known by", known);
  return files;
}

// With the settings of the store's own recipe, which the store goes on keeping, and its beats,
// which are not made again another way.
ExtractRecipe music_recipe(const store::FeatureStore* store) {
  const auto wanted = fit_recipe();
  ExtractRecipe recipe;
  if (store != nullptr && store->find_note("extract_recipe")) {
    recipe = stored_extract_recipe(*store);
    recipe.fbank.reset();
    recipe.rhythm.reset();
    recipe.clip_flow.reset();
    recipe.flow.reset();
    recipe.grey_clips = recipe.cuts = false;
  }
  if (!recipe.beats) recipe.beats = wanted.beats;
  recipe.down_beats = recipe.energy = recipe.sections = true;
  return recipe;
}

std::unique_ptr<store::FeatureStore> open_if_there(const fs::path& folder) {
  if (!fs::exists(folder)) return nullptr;
  return store::FeatureStore::open(folder);
}

// Features that are made in another way today: of an older version.
std::vector<std::string> outdated(const store::FeatureStore& store, const ExtractRecipe& recipe) {
  std::vector<std::string> features;
  for (const auto& [feature, planned] : planned_features("music", recipe)) {
    const auto stored = store.provenance(feature, "music");
    if (stored && stored->fingerprint() != planned.fingerprint()) features.push_back(feature);
  }
  return features;
}

// Ids by path, size and time, as an earlier call found them.
json known_files(const store::FeatureStore* store) {
  if (store == nullptr) return json::object();
  const auto text = store->find_note(kFilesNote);
  const auto known = text ? json::parse(*text, nullptr, false) : json::object();
  return known.is_object() ? known : json::object();
}

// Whether a store holds nothing but what fitting made, so that all of it can be made again: fitting
// made the store, and nobody put other features or films into it.
bool is_cache(const store::FeatureStore& store, const ExtractRecipe& recipe) {
  std::set<std::string> features;
  for (const auto& [feature, unused] : planned_features("music", recipe)) features.insert(feature);
  const auto keys = store.keys();
  return store.find_note(kCacheNote) &&
         std::all_of(keys.begin(), keys.end(), [&](const store::FeatureKey& key) {
           return features.count(key.feature) > 0 && key.kind == "music";
         });
}

void make_cache(const fs::path& store_folder) {
  store::FeatureStore::open(store_folder, {.writable = true})->put_note(kCacheNote, "vmr fit");
}

// Takes what is outdated out of a cache, which is opened anew; the tracks are analysed again when
// they are asked for. In a store of other makers that is for its owner to decide.
void forget_outdated(std::unique_ptr<store::FeatureStore>& store, const fs::path& store_folder,
                     const ExtractRecipe& recipe, const RunControl& control) {
  if (!store) return;
  const auto features = outdated(*store, recipe);
  if (features.empty()) return;
  if (!is_cache(*store, recipe)) {
    std::string names;
    for (const auto& feature : features) names += (names.empty() ? "" : ", ") + feature;
    control.log(LogLevel::warning, store_folder.string() + ": " + names +
                                       " of music are of an older version, or made by another "
                                       "recipe; extract into a new store to have today's");
    return;
  }
  store.reset();
  {
    const auto cache = store::FeatureStore::open(store_folder, {.writable = true});
    for (const auto& feature : features) {
      const auto tracks = cache->remove_feature(feature, "music");
      control.log(LogLevel::info, "\"" + feature + "\" of " + std::to_string(tracks) +
                                      " analysed tracks is of an older version; made again");
    }
  }
  store = store::FeatureStore::open(store_folder);
}

// A file's id: the hash of its bytes, taken again only where size or time changed.
std::string id_of(const fs::path& path, json& known, bool& changed) {
  const auto name = vmr::detail::escape_bytes(fs::absolute(path).lexically_normal().string());
  const auto stamp = std::to_string(fs::file_size(path)) + " " +
                     std::to_string(fs::last_write_time(path).time_since_epoch().count());
  if (known.contains(name) && known[name].value("stamp", "") == stamp) {
    return known[name].at("id");
  }
  const auto id = hash_file(path);
  known[name] = {{"stamp", stamp}, {"id", id}};
  changed = true;
  return id;
}

// Returns when nobody writes the store, which is said once, or when a stop was asked for.
// Throws: StoreBusy where that takes longer than `longest_wait_seconds`.
void wait_for_writer(const fs::path& store_folder, double longest_wait_seconds,
                     const RunControl& control) {
  using Clock = std::chrono::steady_clock;
  const auto begun = Clock::now();
  for (bool said = false; !control.stop.stop_requested(); said = true) {
    try {
      store::FeatureStore::open(store_folder, {.writable = true});
      return;
    } catch (const store::StoreBusy&) {
      const std::chrono::duration<double> waited = Clock::now() - begun;
      if (waited.count() >= longest_wait_seconds) throw;
      if (!said) {
        control.log(LogLevel::info,
                    store_folder.string() + " is being written by another; waiting for it");
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
}

// What `work` makes, done again behind each writer that was in its way.
FitMusic when_free(const fs::path& store_folder, double longest_wait_seconds,
                   const RunControl& control, const std::function<FitMusic()>& work) {
  while (!control.stop.stop_requested()) {
    try {
      return work();
    } catch (const store::StoreBusy&) {
      wait_for_writer(store_folder, longest_wait_seconds, control);
    }
  }
  FitMusic stopped;
  stopped.summary.interrupted = true;
  return stopped;
}

// Beside those that another call has noted meanwhile. Nobody waits for this: a file that is not
// noted is read again.
void note_files(const fs::path& store_folder, const json& known) {
  try {
    const auto store = store::FeatureStore::open(store_folder, {.writable = true});
    auto all = known_files(store.get());
    all.update(known);
    store->put_note(kFilesNote, all.dump());
  } catch (const store::StoreBusy&) {
  }
}

// Extracts what is missing; the store is opened for writing only where something is.
FitMusic analysed(const store::Manifest& manifest, const fs::path& store_folder,
                  const ExtractOptions& options, const RunControl& control) {
  FitMusic music;
  auto store = open_if_there(store_folder);
  const auto recipe = music_recipe(store.get());
  forget_outdated(store, store_folder, recipe, control);
  std::vector<char> ready(manifest.items.size(), 0);
  const auto look = [&] {
    for (size_t i = 0; store && i < ready.size(); ++i) {
      if (!ready[i]) ready[i] = detail::has_features(*store, manifest.items[i], recipe);
    }
  };
  look();
  store::Manifest missing;
  for (size_t i = 0; i < ready.size(); ++i) {
    if (!ready[i]) missing.items.push_back(manifest.items[i]);
  }
  if (!missing.items.empty()) {
    if (!store) make_cache(store_folder);
    store.reset();
    music.summary = extract(missing, store_folder, recipe, options, control);
    store = open_if_there(store_folder);
    look();
  }
  music.summary.items = int64_t(manifest.items.size());
  music.summary.already_there += int64_t(manifest.items.size() - missing.items.size());
  for (size_t i = 0; i < ready.size(); ++i) {
    if (ready[i]) music.tracks.push_back(manifest.items[i]);
  }
  return music;
}

}  // namespace

FitMusic analyse_music(const std::vector<fs::path>& paths, const fs::path& store_folder,
                       const ExtractOptions& options, const RunControl& control,
                       double longest_wait_seconds) {
  store::Manifest manifest;
  std::vector<ItemFailure> unreadable;
  bool changed = false;
  auto store = open_if_there(store_folder);
  json known = known_files(store.get());
  std::set<std::string> seen;
  std::map<std::string, std::string> ids;
  for (const auto& path : sound_files(paths)) {
    if (control.stop.stop_requested()) return {};
    try {
      store::ManifestItem item;
      item.id = id_of(path, known, changed);
      item.kind = "music";
      item.path = path;
      item.fields["title"] = vmr::detail::escape_bytes(path.stem().string());
      ids[path.string()] = item.id;
      if (seen.insert(item.id).second) manifest.items.push_back(std::move(item));
    } catch (const StoreError& error) {
      unreadable.push_back({path.string(), error.what()});
    } catch (const fs::filesystem_error& error) {
      unreadable.push_back({path.string(), error.code().message()});
    }
  }
  std::map<std::string, std::string> names;
  for (const auto& item : manifest.items) names[item.id] = item.path.string();
  // People know their files by name, not by what is in them.
  RunControl named = control;
  named.on_progress = [&](Progress progress) {
    if (const auto name = names.find(progress.detail); name != names.end()) {
      progress.detail = fs::path(name->second).filename().string();
    }
    control.progress(progress);
  };
  store.reset();
  auto music = when_free(store_folder, longest_wait_seconds, control,
                         [&] { return analysed(manifest, store_folder, options, named); });
  music.ids = std::move(ids);
  for (auto* list : {&music.summary.failures, &music.summary.damaged}) {
    for (auto& failure : *list) failure.id = names[failure.id];
  }
  music.summary.failures.insert(music.summary.failures.end(), unreadable.begin(), unreadable.end());
  if (changed && !control.stop.stop_requested()) note_files(store_folder, known);
  return music;
}

FitMusic analyse_stored_music(const fs::path& store_folder, const ExtractOptions& options,
                              const RunControl& control) {
  auto store = store::FeatureStore::open(store_folder);
  store::Manifest manifest;
  const auto stored = stored_manifest(*store);
  std::set<std::string> paths;  // of a file that changed the last is the one that is there
  const auto all = stored.of("music");
  for (auto item = all.rbegin(); item != all.rend(); ++item) {
    if (paths.insert((*item)->path.string()).second) manifest.items.push_back(**item);
  }
  std::reverse(manifest.items.begin(), manifest.items.end());
  if (manifest.items.empty()) {
    throw StoreError("the store " + store_folder.string() + " has no music; give --music");
  }
  store.reset();
  return when_free(store_folder, kLongestWaitSeconds, control,
                   [&] { return analysed(manifest, store_folder, options, control); });
}

}  // namespace vmr::pipeline
