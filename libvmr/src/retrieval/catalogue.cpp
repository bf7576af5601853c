#include "vmr/retrieval/catalogue.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <set>
#include <span>
#include <unordered_set>

#include "core/file_io.h"
#include "retrieval/catalogue_folder.h"
#include "retrieval/snapshot.h"
#include "vmr/core/error.h"

namespace vmr::retrieval {
namespace fs = std::filesystem;
namespace {

// A generation: what is on disk and its open form.
struct Generation {
  GenerationRecord record;
  std::shared_ptr<const Snapshot> snapshot;
};

// Opens the record's segments; those that `known` has open already are shared.
Generation open_generation(const fs::path& folder, GenerationRecord record, bool verify,
                           const Generation* known) {
  std::vector<SnapshotPart> parts;
  for (const SegmentEntry& entry : record.segments) {
    std::shared_ptr<const Segment> segment;
    for (size_t i = 0; known != nullptr && i < known->record.segments.size(); ++i)
      if (known->record.segments[i].file == entry.file &&
          known->record.segments[i].checksum == entry.checksum)
        segment = known->snapshot->parts()[i].segment;
    if (!segment) {
      segment = std::make_shared<Segment>(folder / entry.file, record.space);
      if (verify && segment->checksum() != entry.checksum)
        throw StoreError(detail::concat(
            "catalogue: ", (folder / entry.file).string(),
            " is damaged: its checksum is wrong; restore the folder from a copy or build the "
            "index again"));
    }
    for (const int64_t row : entry.removed)
      if (row < 0 || row >= segment->rows())
        throw StoreError(detail::concat("catalogue: generation ", record.number, " in ",
                                        folder.string(), " removes a row that ", entry.file,
                                        " does not have; restore the folder from a copy"));
    parts.push_back({std::move(segment), entry.removed});
  }
  check_attachments(folder, record, verify);
  auto snapshot = std::make_shared<const Snapshot>(record.space, record.number, std::move(parts));
  return {std::move(record), std::move(snapshot)};
}

// Reads CURRENT and what it names. A writer may remove the generation in between: then CURRENT
// names another one by now.
Generation read_generation(const fs::path& folder, bool verify, const Generation* known) {
  for (;;) {
    const std::string name = read_current_name(folder);
    try {
      return open_generation(folder, read_current_record(folder), verify, known);
    } catch (const StoreError&) {
      if (read_current_name(folder) == name) throw;
    }
  }
}

// Rows of the tracks to add, with the texts they point into.
struct FreshRows {
  at::Tensor vectors;
  std::vector<std::string> metadata;
  std::vector<SegmentRow> rows;
};

FreshRows check_tracks(const CatalogueTracks& tracks, const Space& space) {
  const auto count = static_cast<int64_t>(tracks.ids.size());
  VMR_CHECK(tracks.space == space.id, "catalogue: the tracks' vectors lie in space ", tracks.space,
            ", the catalogue in ", space.id,
            "; embed them with the catalogue's model or build a new index");
  FreshRows fresh;
  fresh.vectors = tracks.vectors;
  if (fresh.vectors.defined() && fresh.vectors.dim() == 2 && space.vectors == 1)
    fresh.vectors = fresh.vectors.unsqueeze(1);
  const std::vector<int64_t> shape = {count, space.vectors, space.dim};
  VMR_CHECK(fresh.vectors.defined() && fresh.vectors.scalar_type() == at::kFloat &&
                fresh.vectors.device().is_cpu() && fresh.vectors.sizes() == at::IntArrayRef(shape),
            "catalogue: expected vectors ", at::IntArrayRef(shape), " float32 on the CPU, got ",
            tracks.vectors.defined()
                ? detail::concat(tracks.vectors.scalar_type(), " ", tracks.vectors.sizes())
                : std::string("nothing"));
  VMR_CHECK(tracks.metadata.empty() || tracks.metadata.size() == tracks.ids.size(),
            "catalogue: expected metadata for each of ", count, " tracks, got ",
            tracks.metadata.size());
  fresh.vectors = fresh.vectors.contiguous();
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < tracks.ids.size(); ++i) {
    const std::string& id = tracks.ids[i];
    VMR_CHECK(!id.empty(), "catalogue: track ", i, " has an empty id");
    VMR_CHECK(seen.insert(id).second, "catalogue: id ", id, " is given twice");
    nlohmann::json metadata =
        tracks.metadata.empty() ? nlohmann::json::object() : tracks.metadata[i];
    VMR_CHECK(metadata.is_object(), "catalogue: metadata of ", id, " must be a JSON object");
    metadata["id"] = id;
    try {
      fresh.metadata.push_back(metadata.dump());
    } catch (const nlohmann::json::exception& error) {
      throw InvalidArgument(detail::concat("catalogue: metadata of track ", i, ": ", error.what()));
    }
  }
  if (!at::isfinite(fresh.vectors).all().item<bool>()) {
    for (int64_t i = 0; i < count; ++i)
      VMR_CHECK(at::isfinite(fresh.vectors.select(0, i)).all().item<bool>(),
                "catalogue: the vectors of ", tracks.ids[static_cast<size_t>(i)],
                " hold NaN or infinity");
  }
  const float* data = fresh.vectors.const_data_ptr<float>();
  for (size_t i = 0; i < tracks.ids.size(); ++i)
    fresh.rows.push_back({data + static_cast<int64_t>(i) * space.vectors * space.dim, tracks.ids[i],
                          fresh.metadata[i]});
  return fresh;
}

class FolderCatalogue final : public Catalogue {
 public:
  FolderCatalogue(fs::path folder, const CatalogueOptions& options)
      : folder_(std::move(folder)),
        options_(options),
        current_(std::make_shared<const Generation>(
            read_generation(folder_, options_.verify, nullptr))) {}

  std::shared_ptr<const CatalogueSnapshot> snapshot() const override { return current()->snapshot; }

  bool refresh() override {
    std::lock_guard lock(write_mutex_);
    return take_newest();
  }

  void add(const CatalogueTracks& tracks) override {
    const FreshRows fresh = check_tracks(tracks, current()->record.space);
    if (fresh.rows.empty()) return;
    std::lock_guard lock(write_mutex_);
    const WriterLock writer(folder_);
    take_newest();
    std::vector<SnapshotPart> parts = current()->snapshot->parts();
    mark_removed(parts, tracks.ids);
    commit_rows(parts, fresh.rows, false);
  }

  int64_t remove(const std::vector<std::string>& ids) override {
    std::lock_guard lock(write_mutex_);
    const WriterLock writer(folder_);
    take_newest();
    std::vector<SnapshotPart> parts = current()->snapshot->parts();
    const int64_t removed = mark_removed(parts, ids);
    if (removed > 0) commit_rows(parts, {}, false);
    return removed;
  }

  void compact() override {
    std::lock_guard lock(write_mutex_);
    const WriterLock writer(folder_);
    take_newest();
    commit_rows(current()->snapshot->parts(), {}, true);
  }

  void attach(const std::map<std::string, AttachmentSource>& files) override {
    std::lock_guard lock(write_mutex_);
    const WriterLock writer(folder_);
    take_newest();
    GenerationRecord record = current()->record;
    ++record.number;
    write_attachments(folder_, current()->record, files, record);
    commit(std::move(record));
  }

  std::optional<fs::path> attachment_path(const std::string& name) const override {
    const auto generation = current();
    if (!generation->record.attachments.contains(name)) return std::nullopt;
    return folder_ / generation->record.attachment_folder / name;
  }

  std::map<std::string, std::string> attachments() const override {
    std::map<std::string, std::string> result;
    const auto generation = current();
    for (const auto& [name, entry] : generation->record.attachments) result[name] = entry.hash;
    return result;
  }

 private:
  std::shared_ptr<const Generation> current() const {
    std::lock_guard lock(current_mutex_);
    return current_;
  }
  void replace_current(Generation generation) {
    auto replacement = std::make_shared<const Generation>(std::move(generation));
    std::lock_guard lock(current_mutex_);
    current_ = std::move(replacement);
  }

  // Requires: write_mutex_.
  bool take_newest() {
    const auto known = current();
    if (read_current_name(folder_) == generation_file_name(known->record.number)) return false;
    replace_current(read_generation(folder_, options_.verify, known.get()));
    return true;
  }

  // Notes the rows of these ids as removed; returns how many there were.
  int64_t mark_removed(std::vector<SnapshotPart>& parts,
                       const std::vector<std::string>& ids) const {
    const auto snapshot = current()->snapshot;
    std::vector<std::set<int64_t>> gone(parts.size());
    int64_t count = 0;
    for (const std::string& id : ids)
      if (const auto found = snapshot->locate(id))
        count += gone[found->first].insert(found->second).second;
    for (size_t p = 0; p < parts.size(); ++p) {
      if (gone[p].empty()) continue;
      gone[p].insert(parts[p].removed.begin(), parts[p].removed.end());
      parts[p].removed.assign(gone[p].begin(), gone[p].end());
    }
    return count;
  }

  // Commits the live rows of `parts` followed by `fresh`. Files stay as they are except: one that
  // is half removed is rewritten, and those at the end that are at most twice as large as what
  // follows them join it, so that n additions leave about log n files.
  void commit_rows(const std::vector<SnapshotPart>& parts, std::span<const SegmentRow> fresh,
                   bool all_into_one) {
    const auto live = [&](const SnapshotPart& part) {
      return part.segment->rows() - static_cast<int64_t>(part.removed.size());
    };
    size_t kept = all_into_one ? 0 : parts.size();
    auto last_rows = static_cast<int64_t>(fresh.size());
    for (; last_rows > 0 && kept > 0 && live(parts[kept - 1]) <= 2 * last_rows; --kept)
      last_rows += live(parts[kept - 1]);

    const auto base = current();
    GenerationRecord record = base->record;
    ++record.number;
    record.segments.clear();
    for (size_t p = 0; p < kept; ++p) {
      if (2 * live(parts[p]) >= parts[p].segment->rows()) {
        const size_t known = position_of(*parts[p].segment, base->record);
        record.segments.push_back(
            {parts[p].segment->name(), base->record.segments[known].checksum, parts[p].removed});
      } else {
        write_segment(record, std::span(&parts[p], 1), {});
      }
    }
    write_segment(record, std::span(parts).subspan(kept), fresh);
    commit(std::move(record));
  }

  static size_t position_of(const Segment& segment, const GenerationRecord& record) {
    size_t at = 0;
    while (record.segments[at].file != segment.name()) ++at;
    return at;
  }

  // Adds a new file of the live rows of `parts` and then `fresh` to the record.
  void write_segment(GenerationRecord& record, std::span<const SnapshotPart> parts,
                     std::span<const SegmentRow> fresh) const {
    std::vector<SegmentRow> rows;
    for (const SnapshotPart& part : parts) {
      auto removed = part.removed.begin();
      for (int64_t i = 0; i < part.segment->rows(); ++i) {
        if (removed != part.removed.end() && *removed == i) {
          ++removed;
        } else {
          rows.push_back(part.segment->row(i));
        }
      }
    }
    rows.insert(rows.end(), fresh.begin(), fresh.end());
    if (rows.empty()) return;
    char name[64];
    std::snprintf(name, sizeof name, "segment-%06lld-%03zu.bin",
                  static_cast<long long>(record.number), record.segments.size());
    Segment::write(folder_ / name, record.space, rows);
    const MappedFile written(folder_ / name);
    record.segments.push_back({name, checksum_of(written.data(), written.size()), {}});
  }

  void commit(GenerationRecord record) {
    const auto base = current();
    Generation next = open_generation(folder_, record, false, base.get());
    commit_record(folder_, record);
    replace_current(std::move(next));
    collect_garbage(folder_, record, base->record);
  }

  const fs::path folder_;
  const CatalogueOptions options_;
  std::mutex write_mutex_;
  mutable std::mutex current_mutex_;
  std::shared_ptr<const Generation> current_;  // under current_mutex_
};

}  // namespace

std::unique_ptr<Catalogue> Catalogue::create(const fs::path& folder, const Space& space) {
  VMR_CHECK(!space.id.empty() && space.dim >= 1 && space.vectors >= 1,
            "catalogue: expected a space with an id and dim and vectors of at least 1, got '",
            space.id, "', ", space.dim, " and ", space.vectors);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw StoreError(
        detail::concat("catalogue: cannot create ", folder.string(), ": ", error.message()));
  {
    const WriterLock writer(folder);
    if (has_catalogue(folder))
      throw StoreError(detail::concat("catalogue: ", folder.string(),
                                      " already holds one; open it or choose another folder"));
    commit_record(folder, {.number = 1, .space = space});
  }
  return open(folder);
}

std::unique_ptr<Catalogue> Catalogue::open(const fs::path& folder,
                                           const CatalogueOptions& options) {
  return std::make_unique<FolderCatalogue>(folder, options);
}

}  // namespace vmr::retrieval
