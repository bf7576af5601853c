#include "synth/truth_json.h"

#include <cmath>
#include <cstdio>

#include "core/file_io.h"
#include "core/json_fault.h"
#include "synth/texture.h"
#include "vmr/core/error.h"

namespace vmr::synth {
namespace {

using nlohmann::json;

json style_json(const Style& style) {
  return {{"energy", style.energy},
          {"brightness", style.brightness},
          {"density", style.density},
          {"roughness", style.roughness},
          {"warmth", style.warmth}};
}

Style read_style(const json& from) {
  return {from.at("energy"), from.at("brightness"), from.at("density"), from.at("roughness"),
          from.at("warmth")};
}

double rounded(double value, double unit) { return std::round(value / unit) * unit; }

std::string hex_colour(uint32_t packed) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", packed & 255, packed >> 8 & 255,
                packed >> 16 & 255);
  return text;
}

json state_json(const TrackState& state) {
  return {{"mood", state.mood},
          {"style", style_json(state.style)},
          {"tempo_bpm", state.tempo_bpm},
          {"end_tempo_bpm", state.end_tempo_bpm},
          {"beats_per_bar", state.beats_per_bar},
          {"swing", state.swing},
          {"drums", state.drums},
          {"first_beat_seconds", state.first_beat_seconds},
          {"seconds", state.seconds},
          {"seed", state.seed}};
}

// Five colours from dark to light of the film's mean palette.
json palette_json(const FilmScript& script) {
  double lightness = 0.0;
  for (const Shot& shot : script.shots) lightness += shot.lightness;
  lightness /= static_cast<double>(script.shots.size());
  const Palette palette = make_palette(script.hue, script.hue_spread, script.saturation, lightness,
                                       script.contrast, false);
  json colours = json::array();
  for (const size_t level : {0, 64, 128, 192, 255}) colours.push_back(hex_colour(palette[level]));
  return {{"hue", script.hue},
          {"saturation", script.saturation},
          {"lightness", lightness},
          {"contrast", script.contrast},
          {"colours", std::move(colours)}};
}

json load(const std::filesystem::path& path) {
  try {
    return json::parse(detail::read_file(path));
  } catch (const json::exception& error) {
    throw StoreError("truth: " + path.string() + " is damaged: " + vmr::detail::json_fault(error));
  }
}

}  // namespace

json track_truth(const std::string& id, const TrackState& state, const SongTruth& truth) {
  json sections = json::array(), tempo = json::array();
  for (const SectionSpan& section : truth.sections) {
    sections.push_back({{"name", section.name},
                        {"start_seconds", section.span.start_seconds},
                        {"end_seconds", section.span.end_seconds},
                        {"energy", section.energy}});
  }
  for (const TempoPoint& point : truth.tempo) tempo.push_back({point.seconds, point.bpm});
  return {{"id", id},
          {"kind", "music"},
          {"tags", {mood_name(state.mood)}},
          {"labels", {{"instruments", instrument_set_name(state.instruments)}}},
          {"state", state_json(state)},
          {"beats", truth.beats},
          {"downbeats", truth.downbeats},
          {"sections", std::move(sections)},
          {"tempo", std::move(tempo)}};
}

json film_truth(const std::string& id, const std::string& track, const Observation& seen,
                const FilmScript& script) {
  json motion = json::array(), shots = json::array();
  for (const double value : motion_curve(script)) motion.push_back(rounded(value, 0.01));
  for (const Shot& shot : script.shots) {
    const double fps = script.options.frames_per_second;
    shots.push_back({{"start_seconds", static_cast<double>(shot.begin_frame) / fps},
                     {"end_seconds", static_cast<double>(shot.end_frame) / fps},
                     {"lightness", shot.lightness},
                     {"pan_pixels_per_second", {shot.pan_x, shot.pan_y}},
                     {"zoom_per_second", shot.zoom},
                     {"shake_pixels", shot.shake_pixels},
                     {"shapes", shot.movers.size()}});
  }
  return {{"id", id},
          {"kind", "film"},
          {"track", track},
          {"labels", {{"texture", texture_family_name(script.texture)}}},
          {"difficulty", script.options.difficulty},
          {"observation",
           {{"mood", seen.mood}, {"style", style_json(seen.style)}, {"tempo_bpm", seen.tempo_bpm}}},
          {"frames_per_second", script.options.frames_per_second},
          {"frames", script.frames},
          {"cuts", script.cut_seconds()},
          {"motion_pixels_per_second", std::move(motion)},
          {"palette", palette_json(script)},
          {"shots", std::move(shots)}};
}

TrackTruth read_track_truth(const std::filesystem::path& path) {
  const json truth = load(path);
  try {
    const json& state = truth.at("state");
    TrackTruth track;
    track.state.mood = state.at("mood");
    track.state.style = read_style(state.at("style"));
    track.state.tempo_bpm = state.at("tempo_bpm");
    track.state.end_tempo_bpm = state.at("end_tempo_bpm");
    track.beats = truth.at("beats").get<std::vector<double>>();
    return track;
  } catch (const json::exception& error) {
    throw StoreError("truth: " + path.string() +
                     " is no track's truth: " + vmr::detail::json_fault(error));
  }
}

FilmTruth read_film_truth(const std::filesystem::path& path) {
  const json truth = load(path);
  try {
    const json& seen = truth.at("observation");
    FilmTruth film;
    film.seen = {seen.at("mood"), read_style(seen.at("style")), seen.at("tempo_bpm")};
    film.cuts = truth.at("cuts").get<std::vector<double>>();
    film.frames_per_second = truth.at("frames_per_second");
    film.difficulty = truth.at("difficulty");
    return film;
  } catch (const json::exception& error) {
    throw StoreError("truth: " + path.string() +
                     " is no film's truth: " + vmr::detail::json_fault(error));
  }
}

}  // namespace vmr::synth
