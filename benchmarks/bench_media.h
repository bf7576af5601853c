// Films and songs of the benchmarks, made from nothing at first use and kept in the system's
// temporary folder, where the peers find them by the same names (peers/peer.py). A file is written
// aside and renamed, so that programs may run at the same time.
#pragma once

#include <filesystem>
#include <string>

namespace vmr::bench {

inline constexpr double kFilmSeconds = 30;
inline constexpr int kSongs = 24;
inline constexpr double kSongSeconds = 30;
inline constexpr double kSoundSeconds = 240;

std::filesystem::path media_folder();

// film_720p_gop12.mp4: 30 s, 25 frames/s, 16:9, H.264 with B-frames, a key frame at least every
// `key_frame_every` frames and at cuts, stereo AAC. height: 360 or 720.
std::filesystem::path film(int height, int key_frame_every);

// song_00.wav to song_23.wav: 30 s each, 60-190 beats/min; among them swing, 3/4, tempo ramps and
// pieces without drums. song_00.json holds {"beats": [seconds], "tags": [...]}.
std::filesystem::path song(int index);

// sound.mp3, sound.m4a, sound.ogg: one piece of four minutes, stereo, 44.1 kHz.
std::filesystem::path sound(const std::string& extension);

}  // namespace vmr::bench
