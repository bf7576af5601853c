// RAII over liblmdb: one environment per part of a store, shared by everybody in the process (LMDB
// forbids opening a file twice in one process), with a map that grows. Failures are StoreErrors
// naming the folder. Thread-safe: Environment; a transaction belongs to one thread.
//
// Growing moves the map, so it waits until this process has no open transaction on the environment,
// and new ones wait for it. A read inside a read of the same thread shares its transaction; a write
// inside a read could wait for itself and is refused.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmr::store {

enum class Table { tracks, features, notes };

struct EnvironmentOptions {
  bool writable = false;  // creates what is missing
  bool sync = true;
  int64_t initial_map_bytes = 0;
  bool walk = false;  // looks at every page of the trees first (page_walk.h)
};

class Environment;

class Transaction {
 public:
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  uint64_t number() const { return mdb_txn_id(handle_); }
  // Points into the map: valid while the transaction lives and, in a write, until the next change.
  std::optional<std::string_view> find(Table table, std::string_view key) const;
  // Calls body(key, value) in key order for keys that begin with `prefix` until it returns false.
  void each(Table table, std::string_view prefix,
            const std::function<bool(std::string_view, std::string_view)>& body) const;

 protected:
  explicit Transaction(Environment& environment) : environment_(environment) {}
  ~Transaction() = default;
  Environment& environment_;
  MDB_txn* handle_ = nullptr;
};

class ReadTransaction : public Transaction {
 public:
  explicit ReadTransaction(Environment& environment);
  ~ReadTransaction();

 private:
  bool shared_ = false;  // with the read that this thread is already in
};

class WriteTransaction : public Transaction {
 public:
  // Room of `bytes` for the value of `key`, to be filled before the next call.
  char* reserve(Table table, std::string_view key, size_t bytes);
  void put(Table table, std::string_view key, std::string_view value);
  // False where absent.
  bool remove(Table table, std::string_view key);

 private:
  friend class Environment;
  explicit WriteTransaction(Environment& environment);
  ~WriteTransaction();
  void commit();
};

class Environment {
 public:
  // Throws: StoreError where the files are missing (not writable), damaged or cut short.
  static std::shared_ptr<Environment> open(const std::filesystem::path& folder,
                                           const EnvironmentOptions& options);
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  const std::filesystem::path& folder() const { return folder_; }
  // Runs body in a write transaction and commits it; an exception undoes everything. `bytes`: what
  // body will write, about. Runs body again, from the start, where the map was too small.
  void write(size_t bytes, const std::function<void(WriteTransaction&)>& body);
  // Bytes on disk.
  int64_t file_bytes() const;
  // A copy without free pages into an existing empty folder.
  void copy_compact(const std::filesystem::path& folder);
  // Gives the slots of dead readers free, so that the pages they held can be used again.
  void clear_stale_readers();

 private:
  friend class Transaction;
  friend class ReadTransaction;
  friend class WriteTransaction;
  Environment(const std::filesystem::path& folder, const EnvironmentOptions& options);
  ~Environment();
  static void release(Environment* environment);
  [[noreturn]] void fail(int code, const char* what) const;
  void check(int code, const char* what) const {
    if (code != MDB_SUCCESS) fail(code, what);
  }
  void check_process() const;
  void check_length();
  void walk();
  void open_tables(bool create);
  void become_writable(const EnvironmentOptions& options);
  void make_room(size_t bytes, bool map_was_full);
  void enter();
  void leave();
  void resize(size_t bytes);  // 0: adopt the size that another process chose

  std::filesystem::path folder_;
  MDB_env* handle_ = nullptr;
  MDB_dbi tables_[3] = {};
  std::atomic<bool> has_tables_ = false;
  bool read_only_ = false;
  const int generation_;  // of the process that opened it

  std::mutex write_mutex_;  // one write transaction at a time in this process; guards the next two
  bool sync_, unflushed_ = false;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  int active_ = 0;              // open transactions
  bool resizing_ = false;       // somebody waits for active_ == 0
  std::vector<MDB_txn*> idle_;  // reset read transactions, for reuse
};

}  // namespace vmr::store
