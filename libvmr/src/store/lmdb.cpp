#include "store/lmdb.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "store/page_walk.h"
#include "vmr/core/error.h"

namespace vmr::store {
namespace {

constexpr unsigned kMaxReaders = 4094;
constexpr size_t kLeastMapBytes = size_t{1} << 20;
constexpr size_t kMapStepBytes = size_t{64} << 30;  // doubling stops here
constexpr size_t kSpareBytes = size_t{1} << 20;     // tree and free-list pages of one transaction
constexpr size_t kMaxTailBytes = size_t{64} << 20;  // a file may be this much longer than its pages
constexpr const char* kTableNames[] = {"tracks", "features", "notes"};

// LMDB's rule of one open environment per file and process makes this the one global of the area.
struct Registry {
  struct Entry {
    Environment* environment;
    int users;
    int generation;  // value of forks when it was opened
  };
  std::mutex mutex;
  std::map<std::pair<dev_t, ino_t>, Entry> entries;
};

Registry& registry() {
  static auto* const instance = new Registry;  // outlives stores in static objects
  return *instance;
}

// Number of forks between the first process and this one: what getpid() would tell, at the price of
// a load instead of a system call per read.
std::atomic<int> forks{0};
[[maybe_unused]] const int kForksCounted = ::pthread_atfork(nullptr, nullptr, [] { ++forks; });

// Transactions that this thread is in.
struct Held {
  const Environment* environment;
  MDB_txn* transaction;
};
thread_local std::vector<Held> held;

std::vector<Held>::iterator find_held(const Environment* environment) {
  return std::find_if(held.begin(), held.end(),
                      [&](const Held& entry) { return entry.environment == environment; });
}

std::pair<dev_t, ino_t> identity(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

MDB_val value_of(std::string_view text) { return {text.size(), const_cast<char*>(text.data())}; }

std::string_view text_of(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}

struct MapFull {};

bool is_disk_full(int code) {
  // LMDB answers a short write with EIO, which is how a disk that fills up looks in mid-write.
  return code == ENOSPC || code == EFBIG || code == EDQUOT || code == EIO;
}

}  // namespace

void Environment::fail(int code, const char* what) const {
  const char* advice = "";
  if (is_disk_full(code)) {
    advice = "; the disk may be full: what was committed before is intact, free space and go on";
  } else if (code == MDB_READERS_FULL) {
    advice = "; too many readers at once";
  } else if (code == MDB_PANIC) {
    advice = "; a failed write left this process without the store, open it again";
  } else if (code == MDB_INVALID || code == MDB_CORRUPTED || code == MDB_PAGE_NOTFOUND) {
    advice = "; the file is damaged";
  } else if (code == MDB_VERSION_MISMATCH) {
    advice = "; written by another major version of LMDB";
  }
  throw StoreError(detail::concat("store: cannot ", what, " ", folder_.string(), ": ",
                                  mdb_strerror(code), advice));
}

std::shared_ptr<Environment> Environment::open(const std::filesystem::path& folder,
                                               const EnvironmentOptions& options) {
  const auto file = folder / "data.mdb";
  auto& shared = registry();
  std::lock_guard lock(shared.mutex);
  if (const auto found = shared.entries.find(identity(file));
      found != shared.entries.end() && found->second.generation == forks) {
    auto& entry = found->second;
    if (options.walk) entry.environment->walk();
    if (options.writable) entry.environment->become_writable(options);
    ++entry.users;
    return {entry.environment, release};
  }
  auto* const environment = new Environment(folder, options);
  shared.entries[identity(file)] = {environment, 1, forks};
  return {environment, release};
}

void Environment::release(Environment* environment) {
  // After a fork the environment is the parent's: closing it here would free the parent's readers.
  if (environment->generation_ != forks) return;
  auto& shared = registry();
  std::lock_guard lock(shared.mutex);
  for (auto entry = shared.entries.begin(); entry != shared.entries.end(); ++entry) {
    if (entry->second.environment != environment) continue;
    if (--entry->second.users == 0) {
      shared.entries.erase(entry);
      delete environment;
    }
    return;
  }
}

Environment::Environment(const std::filesystem::path& folder, const EnvironmentOptions& options)
    : folder_(folder), generation_(forks), sync_(options.sync) {
  const auto file = folder / "data.mdb";
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  const bool fresh = error || size == 0;
  if (fresh && !options.writable) {
    throw StoreError(detail::concat("store: ", file.string(), " is ", error ? "missing" : "empty"));
  }
  try {
    check(mdb_env_create(&handle_), "open");
    check(mdb_env_set_maxdbs(handle_, 8), "open");
    check(mdb_env_set_maxreaders(handle_, kMaxReaders), "open");
    if (fresh) {
      const auto wanted = static_cast<size_t>(std::max<int64_t>(options.initial_map_bytes, 0));
      check(mdb_env_set_mapsize(handle_, std::max(wanted, kLeastMapBytes)), "open");
    }
    // Readers too open it for writing, where they may: a writer of this process shares it.
    const unsigned flags = MDB_NOTLS | (options.sync ? 0 : MDB_NOSYNC);
    int code = mdb_env_open(handle_, folder.c_str(), flags, 0664);
    if ((code == EACCES || code == EROFS) && !options.writable) {
      const bool lockable = ::access((folder / "lock.mdb").c_str(), W_OK) == 0;
      mdb_env_close(handle_);
      handle_ = nullptr;
      read_only_ = true;
      check(mdb_env_create(&handle_), "open");
      check(mdb_env_set_maxdbs(handle_, 8), "open");
      code = mdb_env_open(handle_, folder.c_str(),
                          MDB_NOTLS | MDB_RDONLY | (lockable ? 0 : MDB_NOLOCK), 0664);
    }
    check(code, "open");
    if (!fresh) check_length();
    if (!fresh && options.walk) walk();
    clear_stale_readers();
    open_tables(options.writable);
  } catch (...) {
    for (MDB_txn* idle : idle_) mdb_txn_abort(idle);
    if (handle_ != nullptr) mdb_env_close(handle_);
    throw;
  }
}

Environment::~Environment() {
  for (MDB_txn* idle : idle_) mdb_txn_abort(idle);
  if (unflushed_) mdb_env_sync(handle_, 1);
  mdb_env_close(handle_);
}

void Environment::check_process() const {
  if (generation_ != forks) {
    throw StoreError(detail::concat("store: ", folder_.string(),
                                    " was opened before fork(); open it again in the child"));
  }
}

// A map that reaches past the end of the file kills the process when touched, so a file that was
// cut short must be found first. Writers keep the file as long as its pages (make_room).
void Environment::check_length() {
  MDB_envinfo info{};
  MDB_stat stat{};
  check(mdb_env_info(handle_, &info), "examine");
  check(mdb_env_stat(handle_, &stat), "examine");
  const uintmax_t expected = (info.me_last_pgno + 1) * uintmax_t{stat.ms_psize};
  const auto size = std::filesystem::file_size(folder_ / "data.mdb");
  if (size < expected) {
    throw StoreError(detail::concat("store: ", (folder_ / "data.mdb").string(), " has ", size,
                                    " bytes instead of ", expected,
                                    ": it was cut short; copy it again or extract again"));
  }
}

void Environment::walk() {
  const auto file = folder_ / "data.mdb";
  const ReadTransaction transaction(*this);
  try {
    walk_pages(file, transaction.number());
  } catch (const StoreError& error) {
    throw StoreError(detail::concat("store: ", file.string(), ": ", error.what(),
                                    "; copy it again or extract again"));
  }
}

void Environment::open_tables(bool create) {
  if (has_tables_) return;
  if (create) make_room(0, false);
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(handle_, nullptr, create ? 0 : MDB_RDONLY, &txn);
  if (code == MDB_MAP_RESIZED) {
    resize(0);
    code = mdb_txn_begin(handle_, nullptr, create ? 0 : MDB_RDONLY, &txn);
  }
  check(code, "open");
  for (int i = 0; i < 3 && code == 0; ++i) {
    code = mdb_dbi_open(txn, kTableNames[i], create ? MDB_CREATE : 0, &tables_[i]);
  }
  if (code != 0) {
    mdb_txn_abort(txn);
    if (code == MDB_NOTFOUND && !create) return;  // its writer was stopped before the first commit
    fail(code, "open");
  }
  check(mdb_txn_commit(txn), "create tables in");
  has_tables_ = true;
}

void Environment::become_writable(const EnvironmentOptions& options) {
  if (read_only_) fail(EACCES, "write");
  std::lock_guard lock(write_mutex_);
  check(mdb_env_set_flags(handle_, MDB_NOSYNC, options.sync ? 0 : 1), "open");
  if (options.sync && unflushed_) check(mdb_env_sync(handle_, 1), "sync");
  sync_ = options.sync;
  open_tables(true);
}

void Environment::enter() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !resizing_; });
  ++active_;
}

void Environment::leave() {
  std::lock_guard lock(mutex_);
  if (--active_ == 0) changed_.notify_all();
}

void Environment::resize(size_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !resizing_; });
  resizing_ = true;
  changed_.wait(lock, [&] { return active_ == 0; });
  const int code = mdb_env_set_mapsize(handle_, bytes);
  resizing_ = false;
  changed_.notify_all();
  lock.unlock();
  check(code, "grow");
}

void Environment::make_room(size_t bytes, bool map_was_full) {
  MDB_envinfo info{};
  MDB_stat stat{};
  check(mdb_env_info(handle_, &info), "examine");
  check(mdb_env_stat(handle_, &stat), "examine");
  const size_t used = (info.me_last_pgno + 1) * stat.ms_psize;
  const size_t wanted = used + bytes + bytes / 64 + kSpareBytes;
  if (map_was_full || wanted > info.me_mapsize / 5 * 4) {
    size_t size = info.me_mapsize;
    do {
      size += std::min(size, kMapStepBytes);
    } while (wanted > size / 5 * 4);
    resize(size);
  }
  // Extended ahead (sparsely), so that a file shorter than its last page is always one cut short;
  // in steps, because each costs a wait for the file system's journal.
  const auto file = folder_ / "data.mdb";
  if (std::filesystem::file_size(file) >= wanted) return;
  const size_t ahead = wanted + std::min(used / 4, kMaxTailBytes);
  if (::truncate(file.c_str(), static_cast<off_t>(ahead)) != 0 &&
      ::truncate(file.c_str(), static_cast<off_t>(wanted)) != 0) {
    fail(errno, "extend");
  }
}

void Environment::write(size_t bytes, const std::function<void(WriteTransaction&)>& body) {
  check_process();
  if (read_only_) fail(EACCES, "write");
  if (find_held(this) != held.end()) {
    throw InvalidArgument(detail::concat("store: a write to ", folder_.string(),
                                         " inside visit() of the same store; copy the track and "
                                         "write after visit() has returned"));
  }
  std::lock_guard lock(write_mutex_);
  for (bool map_was_full = false;;) {
    make_room(bytes, map_was_full);
    try {
      WriteTransaction transaction(*this);
      body(transaction);
      transaction.commit();
      break;
    } catch (const MapFull&) {
      map_was_full = true;
    }
  }
  unflushed_ = !sync_;
}

int64_t Environment::file_bytes() const {
  struct stat info {};
  if (::stat((folder_ / "data.mdb").c_str(), &info) != 0) return 0;
  return static_cast<int64_t>(info.st_blocks) * 512;
}

void Environment::copy_compact(const std::filesystem::path& folder) {
  check_process();
  check(mdb_env_copy2(handle_, folder.c_str(), MDB_CP_COMPACT), "copy");
}

void Environment::clear_stale_readers() {
  int dead = 0;
  check(mdb_reader_check(handle_, &dead), "check readers of");
}

std::optional<std::string_view> Transaction::find(Table table, std::string_view key) const {
  if (!environment_.has_tables_) return std::nullopt;
  MDB_val wanted = value_of(key), value{};
  const int code = mdb_get(handle_, environment_.tables_[static_cast<int>(table)], &wanted, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  environment_.check(code, "read");
  return text_of(value);
}

void Transaction::each(Table table, std::string_view prefix,
                       const std::function<bool(std::string_view, std::string_view)>& body) const {
  if (!environment_.has_tables_) return;
  MDB_cursor* raw = nullptr;
  environment_.check(mdb_cursor_open(handle_, environment_.tables_[static_cast<int>(table)], &raw),
                     "read");
  const std::unique_ptr<MDB_cursor, void (*)(MDB_cursor*)> cursor(raw, mdb_cursor_close);
  MDB_val key = value_of(prefix), value{};
  int code = mdb_cursor_get(raw, &key, &value, prefix.empty() ? MDB_FIRST : MDB_SET_RANGE);
  while (code == 0) {
    if (!text_of(key).starts_with(prefix) || !body(text_of(key), text_of(value))) return;
    code = mdb_cursor_get(raw, &key, &value, MDB_NEXT);
  }
  if (code != MDB_NOTFOUND) environment_.fail(code, "read");
}

ReadTransaction::ReadTransaction(Environment& environment) : Transaction(environment) {
  environment.check_process();
  if (const auto outer = find_held(&environment); outer != held.end()) {
    handle_ = outer->transaction;
    shared_ = true;
    return;
  }
  for (bool cleared = false;;) {
    environment.enter();
    {
      std::lock_guard lock(environment.mutex_);
      if (!environment.idle_.empty()) {
        handle_ = environment.idle_.back();
        environment.idle_.pop_back();
      }
    }
    const int code = handle_ != nullptr
                         ? mdb_txn_renew(handle_)
                         : mdb_txn_begin(environment.handle_, nullptr, MDB_RDONLY, &handle_);
    if (code == 0) break;
    if (handle_ != nullptr) mdb_txn_abort(handle_);
    handle_ = nullptr;
    environment.leave();
    if (code == MDB_MAP_RESIZED) {
      environment.resize(0);
    } else if (code == MDB_READERS_FULL && !cleared) {
      environment.clear_stale_readers();
      cleared = true;
    } else {
      environment.fail(code, "read");
    }
  }
  held.push_back({&environment, handle_});
}

ReadTransaction::~ReadTransaction() {
  if (shared_) return;
  held.erase(find_held(&environment_));
  mdb_txn_reset(handle_);
  {
    std::lock_guard lock(environment_.mutex_);
    environment_.idle_.push_back(handle_);
  }
  environment_.leave();
}

WriteTransaction::WriteTransaction(Environment& environment) : Transaction(environment) {
  environment.enter();
  const int code = mdb_txn_begin(environment.handle_, nullptr, 0, &handle_);
  if (code == 0) return;
  environment.leave();
  if (code == MDB_MAP_RESIZED) {
    environment.resize(0);
    throw MapFull{};
  }
  environment.fail(code, "write");
}

WriteTransaction::~WriteTransaction() {
  if (handle_ != nullptr) mdb_txn_abort(handle_);
  environment_.leave();
}

char* WriteTransaction::reserve(Table table, std::string_view key, size_t bytes) {
  MDB_val wanted = value_of(key), value{bytes, nullptr};
  const int code =
      mdb_put(handle_, environment_.tables_[static_cast<int>(table)], &wanted, &value, MDB_RESERVE);
  if (code == MDB_MAP_FULL) throw MapFull{};
  environment_.check(code, "write");
  return static_cast<char*>(value.mv_data);
}

void WriteTransaction::put(Table table, std::string_view key, std::string_view value) {
  char* const place = reserve(table, key, value.size());
  std::copy(value.begin(), value.end(), place);
}

bool WriteTransaction::remove(Table table, std::string_view key) {
  MDB_val wanted = value_of(key);
  const int code =
      mdb_del(handle_, environment_.tables_[static_cast<int>(table)], &wanted, nullptr);
  if (code == MDB_NOTFOUND) return false;
  if (code == MDB_MAP_FULL) throw MapFull{};
  environment_.check(code, "write");
  return true;
}

void WriteTransaction::commit() {
  MDB_txn* const ending = handle_;
  handle_ = nullptr;  // freed by the commit, whatever its outcome
  const int code = mdb_txn_commit(ending);
  if (code == MDB_MAP_FULL) throw MapFull{};
  environment_.check(code, "commit to");
}

}  // namespace vmr::store
