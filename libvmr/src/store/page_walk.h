// Walks the pages of an LMDB file before LMDB does. LMDB trusts its file: a page whose header or
// node list was changed can stop the process, so check_store and merge_store look first. The page
// layout is that of LMDB 0.9 on 64-bit machines. Thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>

namespace vmr::store {

// Requires: a read transaction of number `transaction` keeps the pages from being reused.
// Throws: StoreError naming the first page whose header, nodes, depth or children are impossible.
void walk_pages(const std::filesystem::path& data_file, uint64_t transaction);

}  // namespace vmr::store
