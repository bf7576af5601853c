// What a filter asks for that no track of a catalogue has, which else looks like an empty result.
#pragma once

#include "vmr/retrieval/catalogue.h"

namespace vmr::apps {

// Warns of fields of != that no track has: they shut nothing out. Throws: InvalidArgument for such
// fields of other conditions, which nothing can match, with the fields that there are.
void check_filter(const retrieval::Catalogue& catalogue, const retrieval::Filter& filter);

}  // namespace vmr::apps
