// A column of texts in a table for people, which must neither be cut where there is room nor push
// the others out of line.
#pragma once

#include <string>
#include <vector>

namespace vmr::apps {

// Heading and texts, padded to the longest of them. A text of more than `most` characters (not
// bytes: UTF-8) is cut and ends in "…". Texts are made printable (printable.h).
std::vector<std::string> text_column(const std::string& heading, std::vector<std::string> texts,
                                     size_t most);

}  // namespace vmr::apps
