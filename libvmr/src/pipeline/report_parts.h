// What both reports are made of.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "vmr/pipeline/matcher.h"
#include "vmr/retrieval/hit.h"

namespace vmr::pipeline::detail {

const FeatureTrack* find_track(const FilmAnalysis& film, const std::string& name);
// The values of a feature of moments, such as "cuts"; none where it is missing.
std::vector<double> moments(const FeatureTrack* track);

std::string page_head(const std::string& title);
// `count` frames of the film, embedded. Throws: MediaError.
std::string film_strip(const FilmAnalysis& film, int64_t count);
// Flow and cuts over time, or nothing without "flow".
std::string flow_figure(const FilmAnalysis& film);
// "from 12.34 s", or for an offset below 0 "begins 3.21 s into the film".
std::string start_text(double offset_seconds);
// Rank, title, score and its parts. What a part adds to the score is a bar, `bar_pixels` long for
// 1, red where it takes away.
std::string describe_hit(const retrieval::Hit& hit, size_t rank, double bar_pixels = 170);
// The sound from `offset` on, as AAC, for the src of an audio element. Throws: MediaError.
std::string sound_url(const std::filesystem::path& path, double offset, double seconds);

}  // namespace vmr::pipeline::detail
