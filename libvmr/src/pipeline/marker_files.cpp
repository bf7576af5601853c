// write_markers: the formats of marker files.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "core/file_io.h"
#include "vmr/core/error.h"
#include "vmr/pipeline/markers.h"

namespace vmr::pipeline {
namespace {

// A marker list with all that its text needs.
struct Sheet {
  const std::vector<Marker>& markers;
  const MusicPlacement& placement;
  const MarkerFileOptions& options;
  int64_t first_frame = 0;

  int64_t frame(const Marker& marker) const {
    return first_frame + frame_at(marker.film_seconds, options.rate);
  }
  std::string timecode_of(const Marker& marker) const {
    return timecode(frame(marker), options.rate);
  }
};

// The same in every locale.
std::string seconds_text(double seconds) {
  char text[64];
  const auto end =
      std::to_chars(text, text + sizeof text, seconds, std::chars_format::fixed, 6).ptr;
  return {text, end};
}

// A name must stay on its line and in its field.
std::string without(std::string text, std::string_view unwanted) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ' || unwanted.find(c) != unwanted.npos) c = ' ';
  }
  return text;
}

std::string json_text(const Sheet& sheet) {
  auto list = nlohmann::ordered_json::array();
  for (const Marker& marker : sheet.markers) {
    list.push_back({{"name", marker.name},
                    {"kind", to_string(marker.kind)},
                    {"film_seconds", marker.film_seconds},
                    {"music_seconds", marker.music_seconds},
                    {"timecode", sheet.timecode_of(marker)}});
  }
  const nlohmann::ordered_json document = {
      {"title", sheet.options.title},
      {"frames_per_second", sheet.options.rate.per_second()},
      {"drop_frame", sheet.options.rate.drop_frame},
      {"offset_seconds", sheet.placement.offset_seconds},
      {"stretch", sheet.placement.stretch},
      {"film_duration_seconds", sheet.placement.film_duration_seconds},
      {"markers", list}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

std::string csv_text(const Sheet& sheet) {
  std::string text = "name,kind,film_seconds,music_seconds,timecode\r\n";
  for (const Marker& marker : sheet.markers) {
    text += csv_field(marker.name) + "," + std::string(to_string(marker.kind)) + "," +
            seconds_text(marker.film_seconds) + "," + seconds_text(marker.music_seconds) + "," +
            sheet.timecode_of(marker) + "\r\n";
  }
  return text;
}

// Of the colours that locators and timeline markers both have.
struct Colour {
  const char *locator, *resolve;
};
Colour colour_of(MarkerKind kind) {
  switch (kind) {
    case MarkerKind::start:
    case MarkerKind::end:
    case MarkerKind::cut:
      return {"RED    ", "Red"};
    case MarkerKind::section:
      return {"GREEN  ", "Green"};
    case MarkerKind::down_beat:
      return {"YELLOW ", "Yellow"};
    case MarkerKind::beat:
      return {"BLUE   ", "Blue"};
  }
  VMR_ASSERT(false, "unknown MarkerKind");
}

std::string edl_text(const Sheet& sheet) {
  std::vector<const Marker*> rising;
  for (const Marker& marker : sheet.markers) rising.push_back(&marker);
  std::stable_sort(rising.begin(), rising.end(), [&](const Marker* a, const Marker* b) {
    const int64_t frame_a = sheet.frame(*a), frame_b = sheet.frame(*b);
    return frame_a < frame_b || (frame_a == frame_b && a->kind < b->kind);
  });
  const FrameRate& rate = sheet.options.rate;
  std::string text = "TITLE: " + without(sheet.options.title, "") +
                     "\r\nFCM: " + (rate.drop_frame ? "DROP FRAME" : "NON-DROP FRAME") + "\r\n\r\n";
  int64_t number = 0;
  for (size_t i = 0; i < rising.size();) {
    // A timeline has one marker a frame.
    const Marker& first = *rising[i];
    const int64_t frame = sheet.frame(first);
    std::string name = without(first.name, "|");
    for (++i; i < rising.size() && sheet.frame(*rising[i]) == frame; ++i) {
      name += " + " + without(rising[i]->name, "|");
    }
    const std::string at = timecode(frame, rate), after = timecode(frame + 1, rate);
    char event[96];
    std::snprintf(event, sizeof event, "%03d  001      V     C        %s %s %s %s\r\n",
                  int(++number), at.c_str(), after.c_str(), at.c_str(), after.c_str());
    const Colour colour = colour_of(first.kind);
    text += event;
    text += " |C:ResolveColor" + std::string(colour.resolve) + " |M:" + name + " |D:1\r\n";
    text += "* LOC: " + at + " " + colour.locator + " " + name + "\r\n\r\n";
  }
  return text;
}

std::string label_text(const Sheet& sheet) {
  std::string text;
  for (const Marker& marker : sheet.markers) {
    const std::string at = seconds_text(marker.film_seconds);
    text += at + "\t" + at + "\t" + without(marker.name, "") + "\n";
  }
  return text;
}

struct Format {
  const char* extension;
  std::string (*text)(const Sheet&);
};
constexpr std::array kFormats{Format{".json", json_text}, Format{".csv", csv_text},
                              Format{".edl", edl_text}, Format{".txt", label_text}};

const Format* find_format(const std::filesystem::path& out) {
  const auto found = std::find_if(kFormats.begin(), kFormats.end(), [&](const Format& format) {
    return out.extension() == format.extension;
  });
  return found == kFormats.end() ? nullptr : &*found;
}

}  // namespace

void validate_marker_file(const std::filesystem::path& out, const MarkerFileOptions& options) {
  const auto ending = out.extension().string();
  VMR_CHECK(find_format(out), "write_markers: ", out.string(),
            ": a marker file's name ends in .json, .csv, .edl or .txt (Audacity), ",
            ending.empty() ? "this has no ending" : "not in " + ending);
  parse_timecode(options.start_timecode, options.rate);
}

void write_markers(const std::filesystem::path& out, const std::vector<Marker>& markers,
                   const MusicPlacement& placement, const MarkerFileOptions& options) {
  validate_marker_file(out, options);
  for (const Marker& marker : markers) {
    VMR_CHECK(marker.film_seconds >= 0 && marker.film_seconds < 24 * 3600, "write_markers: \"",
              marker.name, "\" is at ", marker.film_seconds, " s, expected 0 to 86400");
  }
  const Sheet sheet{markers, placement, options,
                    parse_timecode(options.start_timecode, options.rate)};
  vmr::detail::write_file_atomically(out, find_format(out)->text(sheet));
}

}  // namespace vmr::pipeline
