// What vmr fit prints.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "vmr/pipeline/fit.h"

namespace vmr::apps {

// The ranking as a table on stdout, with notes on what could not be compared.
void print_fits(const pipeline::FilmAnalysis& film, const std::vector<pipeline::FitHit>& hits);

// {"film", "duration_seconds", "cuts", "gallery", "analysed_now", "hits", "failures"}
nlohmann::json fit_document(const pipeline::FilmAnalysis& film, const pipeline::FitMusic& music,
                            const std::vector<pipeline::FitHit>& hits);

}  // namespace vmr::apps
