// Pins where moments of the music fall in the film, and each marker file to its whole text.
#include "vmr/pipeline/markers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "core/file_io.h"
#include "support/temp_folder.h"
#include "vmr/core/error.h"

namespace vmr::pipeline {
namespace {

using testing::HasSubstr;

std::vector<std::string> names(const std::vector<Marker>& markers) {
  std::vector<std::string> result;
  for (const Marker& marker : markers) result.push_back(marker.name);
  return result;
}

TEST(Markers, MusicTimeAndFilmTimeAreEachOthersInverse) {
  const MusicPlacement placement{10, 1.25, 60};
  EXPECT_DOUBLE_EQ(film_seconds(placement, 15), 4);
  EXPECT_DOUBLE_EQ(music_seconds(placement, 4), 15);
  EXPECT_DOUBLE_EQ(film_seconds({-2, 0.5, 60}, 0), 4);  // music of half speed that begins late
}

TEST(Markers, WhatIsHeardInTheFilmIsPlacedAndNumberedByTheTrack) {
  const MusicPlacement placement{1, 2, 3};  // hears the music's seconds 1 to 7
  const auto markers = place_markers(placement, {.beats_seconds = {0.5, 1.5, 2.5004, 3.5, 6.9, 7},
                                                 .down_beats_seconds = {0.5, 2.5, 6.5},
                                                 .sections_seconds = {0, 6.5},
                                                 .cuts_seconds = {0, 0.75, 3}});
  EXPECT_EQ(names(markers),
            (std::vector<std::string>{"music from 0:01.000", "cut 1", "beat 2", "cut 2", "bar 2",
                                      "beat 4", "section 2", "bar 3", "beat 5"}));
  EXPECT_EQ(markers[3].kind, MarkerKind::cut);
  EXPECT_DOUBLE_EQ(markers[3].film_seconds, 0.75);
  EXPECT_DOUBLE_EQ(markers[3].music_seconds, 2.5);
  EXPECT_DOUBLE_EQ(markers[5].film_seconds, 1.25);
  EXPECT_DOUBLE_EQ(markers[5].music_seconds, 3.5);
}

TEST(Markers, MusicThatBeginsLateHasItsStartThere) {
  const auto late = place_markers({-1.5, 1, 10}, {.beats_seconds = {0.25}});
  EXPECT_EQ(names(late), (std::vector<std::string>{"music begins", "beat 1"}));
  EXPECT_DOUBLE_EQ(late[0].film_seconds, 1.5);
  EXPECT_DOUBLE_EQ(late[0].music_seconds, 0);
  EXPECT_DOUBLE_EQ(late[1].film_seconds, 1.75);
  EXPECT_TRUE(place_markers({-20, 1, 10}, {.beats_seconds = {0.25}}).empty());
}

TEST(Markers, MusicThatIsOverBeforeTheFilmHasItsEndThere) {
  // Of music of 9 s, played at 1.5 from its second 3 on, 4 s are heard.
  const auto markers = place_markers({3, 1.5, 10}, {.beats_seconds = {8.4}, .end_seconds = 9});
  EXPECT_EQ(names(markers),
            (std::vector<std::string>{"music from 0:03.000", "beat 1", "music ends"}));
  EXPECT_EQ(to_string(markers[2].kind), "end");
  EXPECT_DOUBLE_EQ(markers[2].film_seconds, 4);
  EXPECT_DOUBLE_EQ(markers[2].music_seconds, 9);
  EXPECT_EQ(place_markers({3, 1.5, 4}, {.end_seconds = 9}).size(), 1u);  // with the film
  EXPECT_THROW(place_markers({0, 1, 10}, {.end_seconds = NAN}), InvalidArgument);
}

TEST(Markers, PlacementsOutOfRangeAreRefused) {
  EXPECT_THROW(place_markers({0, 0, 10}, {}), InvalidArgument);
  EXPECT_THROW(place_markers({NAN, 1, 10}, {}), InvalidArgument);
  EXPECT_THROW(place_markers({0, 1, -1}, {}), InvalidArgument);
  EXPECT_THROW(place_markers({0, 1, 10}, {.cuts_seconds = {NAN}}), InvalidArgument);
}

const MusicPlacement kPlacement{-0.5, 1, 70};
const std::vector<Marker> kMarkers = {{"music begins", MarkerKind::start, 0.5, 0},
                                      {"cut \"1\", the first", MarkerKind::cut, 1, 0.5},
                                      {"bar|2", MarkerKind::down_beat, 1.001, 0.501},
                                      {"beat 9", MarkerKind::beat, 60.06, 59.56}};

std::string written(const char* name, const MarkerFileOptions& options) {
  test::TempFolder folder;
  write_markers(folder / name, kMarkers, kPlacement, options);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
  return vmr::detail::read_file(folder / name);
}

TEST(MarkerFiles, AnEdlHasOneEventAFrameWithLocatorsInItsTimecode) {
  EXPECT_EQ(written("a.edl", {.title = "a\nfilm", .rate = parse_frame_rate("29.97")}),
            "TITLE: a film\r\nFCM: DROP FRAME\r\n\r\n"
            "001  001      V     C        01:00:00;15 01:00:00;16 01:00:00;15 01:00:00;16\r\n"
            " |C:ResolveColorRed |M:music begins |D:1\r\n"
            "* LOC: 01:00:00;15 RED     music begins\r\n\r\n"
            "002  001      V     C        01:00:01;00 01:00:01;01 01:00:01;00 01:00:01;01\r\n"
            " |C:ResolveColorRed |M:cut \"1\", the first + bar 2 |D:1\r\n"
            "* LOC: 01:00:01;00 RED     cut \"1\", the first + bar 2\r\n\r\n"
            "003  001      V     C        01:01:00;02 01:01:00;03 01:01:00;02 01:01:00;03\r\n"
            " |C:ResolveColorBlue |M:beat 9 |D:1\r\n"
            "* LOC: 01:01:00;02 BLUE    beat 9\r\n\r\n");
  EXPECT_THAT(written("a.edl", {.start_timecode = "00:00:00:00"}),
              testing::AllOf(HasSubstr("FCM: NON-DROP FRAME\r\n"),
                             HasSubstr("* LOC: 00:00:00:13 RED     music begins\r\n"),
                             HasSubstr("* LOC: 00:01:00:02 BLUE ")));
}

TEST(MarkerFiles, CsvQuotesWhatNeedsIt) {
  EXPECT_EQ(written("a.csv", {.rate = parse_frame_rate("50"), .start_timecode = "00:00:00:00"}),
            "name,kind,film_seconds,music_seconds,timecode\r\n"
            "music begins,start,0.500000,0.000000,00:00:00:25\r\n"
            "\"cut \"\"1\"\", the first\",cut,1.000000,0.500000,00:00:01:00\r\n"
            "bar|2,down_beat,1.001000,0.501000,00:00:01:00\r\n"
            "beat 9,beat,60.060000,59.560000,00:01:00:03\r\n");
}

TEST(MarkerFiles, JsonHasThePlacementToo) {
  const auto document = nlohmann::json::parse(written("a.json", {.title = "film"}));
  EXPECT_EQ(document.at("title"), "film");
  EXPECT_EQ(document.at("frames_per_second"), 25);
  EXPECT_EQ(document.at("drop_frame"), false);
  EXPECT_EQ(document.at("offset_seconds"), -0.5);
  EXPECT_EQ(document.at("stretch"), 1);
  EXPECT_EQ(document.at("film_duration_seconds"), 70);
  ASSERT_EQ(document.at("markers").size(), 4u);
  EXPECT_EQ(document.at("markers")[3], (nlohmann::json{{"name", "beat 9"},
                                                       {"kind", "beat"},
                                                       {"film_seconds", 60.06},
                                                       {"music_seconds", 59.56},
                                                       {"timecode", "01:01:00:02"}}));
}

TEST(MarkerFiles, LabelsAreTabbed) {
  EXPECT_THAT(written("a.txt", {}), HasSubstr("1.001000\t1.001000\tbar|2\n"));
}

TEST(MarkerFiles, WhatCannotBeWrittenIsSaid) {
  try {
    validate_marker_file("a.xml", {});
    FAIL() << "took .xml";
  } catch (const InvalidArgument& error) {
    EXPECT_THAT(error.what(), HasSubstr("a.xml: a marker file's name ends in .json, .csv, .edl or "
                                        ".txt (Audacity), not in .xml"));
  }
  EXPECT_THROW(validate_marker_file("a", {}), InvalidArgument);
  EXPECT_THROW(validate_marker_file("a.edl", {.start_timecode = "1h"}), InvalidArgument);
  EXPECT_THROW(write_markers("a.edl", {{"x", MarkerKind::beat, -1, 0}}, {}), InvalidArgument);
  EXPECT_THROW(write_markers("/no/such/a.csv", kMarkers, kPlacement), StoreError);
}

}  // namespace
}  // namespace vmr::pipeline
