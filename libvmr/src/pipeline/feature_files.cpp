#include "vmr/pipeline/feature_files.h"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/file_io.h"
#include "pipeline/import_store.h"
#include "pipeline/stored_items.h"
#include "pipeline/tag_texts.h"
#include "vmr/core/error.h"
#include "vmr/core/hash.h"
#include "vmr/store/feature_store.h"
#include "vmr/store/npy.h"

namespace vmr::pipeline {
namespace {

namespace fs = std::filesystem;
using store::FeatureKey;

// Values wait for a common commit, which costs a sync of the disk.
constexpr int64_t kCommitBytes = int64_t{32} << 20;

constexpr int64_t kMostValues = 1'000'000;  // of a row

struct Rows {
  at::Tensor values;  // [rows, dim] float32
  bool whole_item = false;
};

Rows read_raw(const fs::path& path, int64_t dim) {
  const auto bytes = vmr::detail::read_file(path);
  const auto row_bytes = size_t(dim) * sizeof(float);
  VMR_CHECK(!bytes.empty() && bytes.size() % row_bytes == 0, "expected rows of ", dim,
            " float32 values, which are ", row_bytes, " bytes each, got ", bytes.size(), " bytes");
  const auto values = at::empty({int64_t(bytes.size() / row_bytes), dim}, at::kFloat);
  std::memcpy(values.mutable_data_ptr(), bytes.data(), bytes.size());
  return {values, false};
}

Rows read_array(const fs::path& path) {
  const auto read = store::read_npy(path);
  VMR_CHECK(at::isFloatingType(read.scalar_type()),
            "expected float16, float32 or float64 values, got ", c10::toString(read.scalar_type()));
  VMR_CHECK(read.dim() == 1 || read.dim() == 2, "expected [rows, dim] or [dim], got ",
            read.sizes());
  VMR_CHECK(read.numel() > 0, "expected values, got none: ", read.sizes());
  const auto rows = read.dim() == 1 ? read.unsqueeze(0) : read;
  return {rows.to(at::kFloat).contiguous(), read.dim() == 1};
}

class Importer {
 public:
  Importer(const FeatureFiles& files, const fs::path& store_folder)
      : files_(files), store_folder_(store_folder), store_(store_folder) {
    result_.feature = is_tag() ? kTagFeature : files.feature;
    result_.dim = files.dim;
    find_items();
  }

  ImportedFiles run(const RunControl& control) {
    const auto paths = feature_files();
    for (size_t i = 0; i < paths.size() && !control.stop.stop_requested(); ++i) {
      take(paths[i]);
      control.progress(
          {"import", int64_t(i) + 1, int64_t(paths.size()), paths[i].filename().string()});
    }
    commit();
    if (!control.stop.stop_requested()) list_items_without_file();
    return std::move(result_);
  }

 private:
  bool is_tag() const { return files_.kind == "tag"; }

  void problem(const std::string& id, const std::string& reason) {
    result_.problems.push_back({id, reason});
  }

  // The items that files may be of, by the name of the file.
  void find_items() {
    items_ = files_.manifest;
    const auto* store = store_.found();
    if (store != nullptr && store->find_note("manifest")) {
      items_ = detail::merged_manifest(*store, files_.manifest.value_or(store::Manifest()));
    }
    if (!items_) return;
    std::vector<std::string> ids;
    for (const auto* item : items_->of(files_.kind)) ids.push_back(item->id);
    if (is_tag()) ids = first_tags(*items_);
    for (const auto& id : ids) {
      ids_of_name_[file_name_of(id)].push_back(id);
      without_file_.insert(id);
    }
  }

  std::vector<fs::path> feature_files() {
    static const std::set<std::string> kRawEndings = {".bin", ".dat", ".f32"};
    VMR_CHECK(fs::is_directory(files_.folder), files_.folder.string(),
              ": expected a folder of feature files");
    std::vector<fs::path> paths;
    for (const auto& entry : fs::directory_iterator(files_.folder)) {
      const auto& path = entry.path();
      const auto ending = path.extension().string();
      const bool ends_so = files_.raw ? kRawEndings.count(ending) > 0 : ending == ".npy";
      const auto name = path.stem().string();
      if (entry.is_regular_file() && ends_so && name.starts_with(files_.prefix) &&
          name.size() > files_.prefix.size()) {
        paths.push_back(path);
      } else {
        ++result_.passed_over;
      }
    }
    VMR_CHECK(!paths.empty(), files_.folder.string(), ": expected files ", files_.prefix, "ID",
              files_.raw ? ".bin, .dat or .f32" : ".npy", ", got none among ", result_.passed_over,
              " entries");
    std::sort(paths.begin(), paths.end());
    return paths;
  }

  void take(const fs::path& path) {
    const auto name = path.stem().string().substr(files_.prefix.size());
    std::string id = name;
    try {
      if (items_) id = item_of(name);
      VMR_CHECK(taken_.insert(id).second, "a file of the same name was taken already; left out");
      add(id, path);
    } catch (const InvalidArgument& error) {
      problem(id, path.string() + ": " + error.what());
    } catch (const StoreError& error) {
      problem(id, error.what());
    }
    without_file_.erase(id);
    if (pending_bytes_ > kCommitBytes) commit();
  }

  std::string item_of(const std::string& name) const {
    const auto found = ids_of_name_.find(name);
    VMR_CHECK(found != ids_of_name_.end(), "the store's manifest has no ", files_.kind,
              " of that id; left out");
    VMR_CHECK(found->second.size() == 1, "stands for \"", found->second[0], "\" and \"",
              found->second[1], "\"; left out");
    return found->second.front();
  }

  void add(const std::string& id, const fs::path& path) {
    const auto rows = files_.raw ? read_raw(path, files_.dim) : read_array(path);
    const auto& values = rows.values;
    VMR_CHECK(at::isfinite(values).all().item<bool>(), "has values that are no finite float32");
    VMR_CHECK(!is_tag() || values.size(0) == 1, "expected one vector of the tag, got ",
              values.size(0), " rows");
    if (result_.dim == 0) result_.dim = values.size(1);
    VMR_CHECK(values.size(1) == result_.dim, "expected rows of ", result_.dim, " values",
              files_.dim > 0 ? "" : " as in the first file", ", got ", values.size(1));
    auto provenance = provenance_of_rows();
    provenance.media_hash = hash_file(path);
    const bool timeless = is_tag() || rows.whole_item;
    const auto times =
        timeless ? RowTimes::explicit_rows(std::vector<Interval>(1))
                 : RowTimes::regular(values.size(0), 0, hop_seconds(), files_.clip_seconds);
    pending_.push_back({{result_.feature, files_.kind, id}, {values, times, provenance}});
    pending_bytes_ += int64_t(values.nbytes());
  }

  double hop_seconds() const { return files_.hop_seconds.value_or(files_.clip_seconds); }

  Provenance provenance_of_rows() const {
    nlohmann::json options = {{"dim", result_.dim}};
    options["from"] = files_.made_by.empty() ? "files" : files_.made_by;
    if (!is_tag()) {
      options["clip_seconds"] = files_.clip_seconds;
      options["hop_seconds"] = hop_seconds();
    }
    return {result_.feature, "imported", options.dump(), "", ""};
  }

  void commit() {
    if (pending_.empty()) return;
    if (!begun_) begin();
    store_.get().put(pending_);
    result_.items += int64_t(pending_.size());
    for (const auto& [key, track] : pending_) result_.rows += track.values.size(0);
    pending_.clear();
    pending_bytes_ = 0;
  }

  void begin() {
    begun_ = true;
    if (const auto* found = store_.found()) {
      detail::check_own(*found, files_.kind, provenance_of_rows());
    }
    if (files_.manifest) detail::keep_manifest(store_.get(), *items_);
    // The sentence encoder that is there, if any, made other vectors.
    if (is_tag()) fs::remove_all(text_encoder_folder(store_folder_));
  }

  void list_items_without_file() {
    const auto* store = store_.found();
    for (const auto& id : without_file_) {
      if (store != nullptr && store->contains({result_.feature, files_.kind, id})) continue;
      problem(id, files_.folder.string() + ": no file of this " + files_.kind);
    }
  }

  const FeatureFiles& files_;
  const fs::path store_folder_;
  detail::LateStore store_;
  ImportedFiles result_;
  std::optional<store::Manifest> items_;
  std::map<std::string, std::vector<std::string>> ids_of_name_;
  std::set<std::string> without_file_, taken_;
  std::vector<std::pair<FeatureKey, FeatureTrack>> pending_;
  int64_t pending_bytes_ = 0;
  bool begun_ = false;
};

}  // namespace

void validate(const FeatureFiles& files) {
  const bool tag = files.kind == "tag";
  VMR_CHECK(tag || files.kind == "film" || files.kind == "music", "import: kind = \"", files.kind,
            "\", expected film, music or tag");
  VMR_CHECK(tag ? files.feature.empty() || files.feature == kTagFeature : !files.feature.empty(),
            "import: feature = \"", files.feature, "\", expected ",
            tag ? "tag_vector, the name of the vectors of tags" : "a name");
  VMR_CHECK(files.dim >= 0 && files.dim <= kMostValues, "import: dim = ", files.dim,
            ", expected up to ", kMostValues, ", or 0");
  VMR_CHECK(!files.raw || files.dim > 0,
            "import: raw files do not say how many values a row has; give their dim");
  for (const double seconds : {files.clip_seconds, files.hop_seconds.value_or(1)}) {
    VMR_CHECK(seconds > 0 && std::isfinite(seconds),
              "import: clip_seconds or hop_seconds = ", seconds, ", expected a positive number");
  }
}

ImportedFiles import_features(const FeatureFiles& files, const fs::path& store_folder,
                              const RunControl& control) {
  validate(files);
  return Importer(files, store_folder).run(control);
}

std::string file_name_of(const std::string& id) {
  std::string name = id;
  for (char& c : name) {
    if (c == '/' || c == '\\' || c == '\0') c = '_';
  }
  return name;
}

}  // namespace vmr::pipeline
