// What vmr match prints for people.
#pragma once

#include <vector>

#include "vmr/retrieval/hit.h"

namespace vmr::apps {

// The ranking as a table on stdout; the parts of a fit by --sync-weight as one.
void print_matches(const std::vector<retrieval::Hit>& hits, double sync_weight);

}  // namespace vmr::apps
