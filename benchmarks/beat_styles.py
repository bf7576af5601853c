#!/usr/bin/env python3
"""beat_styles.py OUT_DIR [--pieces N] [--seed S]: songs with exact beats, by the accompaniments of some eighty styles.

What the weights of the beat tracker are fitted on beside the songs of beat_corpus: drums, bass and chords as a style
has them, from rock, reggae and samba to waltz, string quartet and ambient, in its tempi and its swing; tempi that
stand, breathe, ramp and step; recordings with noise, fades and MP3. Piece i depends on seed and i alone. Each piece is
OUT_DIR/NAME.wav (mono, 16 kHz) and NAME.json (beats, down_beats, tags).

Needs fluidsynth, ffmpeg and at least one of the sound fonts below (Debian: timgm6mb-soundfont, fluid-soundfont-gm,
musescore-general-soundfont-small, opl3-soundfont); which ones there are changes the songs.
"""
import argparse
import json
import math
import os
import random
import struct
import subprocess

FONTS = ["/usr/share/sounds/sf2/TimGM6mb.sf2", "/usr/share/sounds/sf2/FluidR3_GM.sf2",
         "/usr/share/sounds/sf3/MuseScore_General_Lite.sf3", "/usr/share/sounds/sf2/OPL-3_FM_128M.sf2"]

# General MIDI drums.
DEEP_KICK, KICK, RIM, SNARE, CLAP, BRUSH, FLOOR_TOM, HAT, PEDAL, LOW_TOM, OPEN_HAT, MID_TOM, CRASH = (
    35, 36, 37, 38, 39, 40, 41, 42, 44, 45, 46, 48, 49)
RIDE, TAMBOURINE, BELL, CONGA_HIGH, CONGA_LOW, SHAKER, GUIRO, CLAVE = 51, 54, 56, 62, 64, 70, 73, 75
SOFTER = (HAT, RIDE, SHAKER, TAMBOURINE)

PIANOS = [0, 0, 1, 4]
PADS = [88, 89, 90, 91, 94, 95, 48, 49, 44, 16]
SLOW = set(range(48, 56)) | set(range(88, 96)) | {40, 41, 42, 43, 44, 60}  # begin early, to sound in time
DRUMS = -1

SCALE = [0, 2, 4, 5, 7, 9, 11]
MINOR_CHORDS = (2, 4, 9, 11)
# Roots of the chords, semitones above the tonic.
PROGRESSIONS = {
    "pop": [[0, 7, 9, 5], [9, 5, 0, 7], [0, 5, 7, 5], [0, 9, 5, 7], [0, 5, 9, 7], [2, 7, 0, 9]],
    "jazz": [[2, 7, 0, 0], [0, 9, 2, 7], [2, 7, 4, 9], [0, 5, 4, 9]],
    "blues": [[0, 0, 0, 0, 5, 5, 0, 0, 7, 5, 0, 7]],
    "classic": [[0, 5, 7, 0], [0, 7, 7, 0], [0, 9, 2, 7], [0, 7, 9, 4, 5, 0, 5, 7]],
    "vamp": [[0], [0, 0, 5, 5], [0, 0, 10, 10], [2, 2, 7, 7]]}

STYLES = []


def style(name, slowest, fastest, beats, steps, swing=0.5, bass="", comp="", second="", drums=None, comp_by=PIANOS,
          second_by=PIANOS, bass_by=33, lead_by=(73, 65, 0, 11, 80, 66), harmony="pop", chords_a_bar=1, pad=0, lead=0.6,
          density=0.45, time="lsr", loose=0.006):
    """A style: its tempi, beats a bar and steps a beat; patterns of one or two bars, one character a step.

    bass: root, 3rd, 5th, octave (8) or walking (w). comp, second: short chord (x, soft o), long chord (X), or notes
    of the chord by number. *_by: General MIDI programs, one of them. pad, lead: how often there is one. density: of
    the tune. time: steady, living or breathing (rubato). loose: deviation of the players, seconds.
    """
    drums = drums or {}
    lead_by = list(lead_by)
    STYLES.append(argparse.Namespace(**locals()))


style("rock", 95, 150, 4, 4, bass="R.R.R.R.R.R.R.5.", comp="X.......x.x.x...", drums={KICK: "x.......x.x.....", SNARE:
      "....x.......x...", HAT: "x.o.x.o.x.o.x.o."}, comp_by=[29, 30, 27], lead_by=[30, 65, 80])
style("rock2", 120, 170, 4, 2, bass="RRRRRRRR", comp="X...X...", drums={KICK: "x..xx...", SNARE: "..x...x.", RIDE:
      "xoxoxoxo"}, comp_by=[29, 30], lead_by=[30, 81])
style("popballad", 60, 86, 4, 4, bass="R.......5..R....", comp="0.1.2.3.2.1.2.1.", drums={KICK: "x......xx.......",
      SNARE: "....x.......x...", HAT: "x.o.x.o.x.o.x.o."}, lead_by=[73, 65, 40, 68], pad=0.6)
style("poppiano", 70, 110, 4, 2, bass="R...5...", comp="xxxxxxxx", drums={KICK: "x...x..x", SNARE: "..x...x.", HAT:
      "oooooooo"}, bass_by=32, pad=0.4)
style("disco", 108, 130, 4, 4, bass="R.8.R.8.R.8.R.8.", comp="..x..x....x..x..", drums={KICK: "x...x...x...x...",
      SNARE: "....x.......x...", OPEN_HAT: "..x...x...x...x.", HAT: "x.oox.oox.oox.oo"}, comp_by=[27, 28], lead_by=[61,
      56, 81], pad=0.5, loose=0.004)
style("house", 116, 130, 4, 4, bass="..R...R..R....5.", comp="x..x..x...x..x..", drums={KICK: "x...x...x...x...", CLAP:
      "....x.......x...", OPEN_HAT: "..x...x...x...x."}, comp_by=[4, 16, 62], harmony="vamp", pad=0.5, lead=0.3,
      time="s", loose=0.001)
style("techno", 124, 140, 4, 4, bass=".RRR.RRR.RRR.RRR", comp="...x..x....x..x.", drums={KICK: "x...x...x...x...",
      OPEN_HAT: "..x...x...x...x.", CLAP: "....x.......x..."}, comp_by=[81, 62], bass_by=38, harmony="vamp", lead=0.2,
      time="s", loose=0.001)
style("trance", 130, 142, 4, 4, bass="..RR..RR..RR..RR", comp="0123012301230123", drums={KICK: "x...x...x...x...",
      OPEN_HAT: "..x...x...x...x.", CLAP: "....x.......x..."}, comp_by=[81, 80], bass_by=38, pad=0.7, lead=0.3,
      time="s", loose=0.001)
style("synthpop", 100, 128, 4, 4, bass="R.R.R.R.R.R.R.R.", comp="01230123012301.2", drums={KICK: "x.......x.......",
      SNARE: "....x.......x...", HAT: "x.x.x.x.x.x.x.x."}, comp_by=[80, 81, 62], bass_by=38, lead_by=[80, 81], pad=0.5,
      loose=0.002)
style("dnb", 160, 178, 4, 4, bass="R.....R...5.....", comp="X...............", drums={KICK: "x.........x.....", SNARE:
      "....x.......x...", HAT: "x.x.x.x.x.x.x.x."}, comp_by=[88, 89, 90, 91, 94, 95], bass_by=38, harmony="vamp",
      lead=0.3, time="s", loose=0.002)
style("breaks", 125, 140, 4, 4, bass="R..R..R...5.R...", comp="......x.......x.", drums={KICK: "x.x.......xx....",
      SNARE: "....x..o.o..x..o", HAT: "x.x.x.x.x.x.x.x."}, comp_by=[4, 16], bass_by=38, harmony="vamp", time="s")
style("boombap", 80, 98, 4, 4, swing=0.58, bass="R..R......R..5..", comp="X.......X.......", drums={KICK:
      "x..x......x..x..", SNARE: "....x.......x...", HAT: "x.x.x.x.x.x.x.x."}, comp_by=[4, 0, 11], harmony="vamp",
      lead=0.4, loose=0.008)
style("lofi", 68, 90, 4, 4, swing=0.6, bass="R.......R..5....", comp="X.....x.X...x...", drums={KICK:
      "x.......x..x....", RIM: "....x.......x...", HAT: "x.o.x.o.x.o.x.o."}, comp_by=[4, 5], harmony="jazz",
      loose=0.012)
style("rnb", 62, 84, 4, 4, bass="R.....R...5...R.", comp="X.......x..x....", drums={KICK: "x.....x...x.....", CLAP:
      "....x.......x...", HAT: "x.xxx.x.x.xxx.x."}, comp_by=[4, 5], harmony="jazz", pad=0.5)
style("reggae", 68, 88, 4, 4, swing=0.54, bass="R..R..5...R.3...", comp="..x...x...x...x.", drums={KICK:
      "....x.......x...", RIM: "....x.......x...", HAT: "x.o.x.o.x.o.x.o."}, comp_by=[27, 16, 0], lead_by=[16, 56, 73])
style("steppers", 70, 88, 4, 4, bass="R.....R.5.....R.", comp="..x...x...x...x.", drums={KICK: "x...x...x...x...", RIM:
      "........x.......", HAT: "x.o.x.o.x.o.x.o."}, comp_by=[27, 16])
style("ska", 120, 165, 4, 2, bass="R.3.5.3.", comp=".x.x.x.x", drums={KICK: "x...x...", SNARE: "..x...x.", HAT:
      "xoxoxoxo"}, comp_by=[27, 0], lead_by=[56, 57, 66], lead=0.7)
style("funk", 92, 118, 4, 4, bass="R..R..5...R.8.R.", comp="..xx..x...xx.x..", drums={KICK: "x.x.......x..x..", SNARE:
      "....x..o.o..x...", HAT: "xoxoxoxoxoxoxoxo"}, comp_by=[27, 28, 7], lead_by=[66, 56, 61], harmony="vamp",
      loose=0.005)
style("afrobeat", 100, 122, 4, 4, bass="R..R....5..R....", comp="..x.x...x..x..x.", drums={KICK: "x.....x...x.....",
      SNARE: "......o.x....o..", HAT: "x.xxx.xxx.xxx.xx", CONGA_HIGH: "..x...x...x..xx."}, comp_by=[27, 16],
      lead_by=[66, 56], harmony="vamp")
style("samba", 90, 112, 2, 4, bass="R..5R..5", comp="x.xx.x.x.x.x.xx.", drums={KICK: "o..xx..x", FLOOR_TOM: "....x...",
      SHAKER: "xoxxxoxx", TAMBOURINE: "x.xx.x.x.x.x.xx."}, comp_by=[24], lead_by=[73, 24], harmony="jazz")
style("bossa", 112, 145, 4, 2, bass="R..55..R", comp="x..x.x.xx..x..x.", drums={KICK: "x..xx..x", RIM:
      "x..x..x...x..x..", HAT: "oooooooo"}, comp_by=[24, 0], bass_by=32, lead_by=[73, 65, 11], harmony="jazz")
style("salsa", 160, 200, 4, 2, bass="...5..R.", comp="x.xx.x.x.x.x.x.x", drums={BELL: "x.o.x.o.", CONGA_HIGH:
      "..x...x.", CONGA_LOW: "......xx", CLAVE: "..x.x...x..x..x."}, comp_by=[0], bass_by=32, lead_by=[56, 57],
      harmony="vamp")
style("chacha", 108, 130, 4, 2, bass="R..R5...", comp=".x.x.x.x", drums={BELL: "x.x.x.x.", GUIRO: "x.oox.oo",
      CONGA_LOW: "......xx", CONGA_HIGH: "..x.....", KICK: "x......."}, comp_by=[0], lead_by=[73, 56], harmony="vamp")
style("reggaeton", 86, 102, 4, 4, bass="R.....R.5...R...", comp="x..x..x.x..x..x.", drums={KICK: "x...x...x...x...",
      SNARE: "...x..x....x..x.", HAT: "x.x.x.x.x.x.x.x."}, comp_by=[80, 24], bass_by=38, time="s")
style("cumbia", 86, 104, 4, 2, bass="R..5R..5", comp="..x...x.", drums={KICK: "x...x...", SHAKER: "x.xxx.xx",
      CONGA_HIGH: "..x...x.", BELL: "x...x..."}, comp_by=[21, 25], lead_by=[21, 73])
style("tango", 110, 132, 4, 2, bass="R.R.R.R.", comp="x.x.x.x.", comp_by=[21, 0], second_by=[40], bass_by=43,
      lead_by=[40, 21, 23], harmony="classic", time="lr", loose=0.01)
style("habanera", 56, 72, 2, 4, bass="R..R5.3.", comp="....x.x.", comp_by=[0, 24], bass_by=32, lead_by=[21, 40],
      harmony="classic", time="lr")
style("viennese", 150, 186, 3, 2, bass="R.....", comp="..x.x.", comp_by=[48, 0, 6], bass_by=43, lead_by=[40, 73, 71],
      harmony="classic", lead=0.9, density=0.35, loose=0.01)
style("slowwaltz", 80, 108, 3, 2, bass="R.....", comp="..x.x.", comp_by=[0, 24, 48], bass_by=32, lead_by=[40, 73, 68],
      harmony="classic", pad=0.3, lead=0.8, time="lr", loose=0.01)
style("jazzwaltz", 120, 180, 3, 2, swing=0.64, bass="w.w.w.", comp="x..x..", drums={RIDE: "x.xxx.", PEDAL: "..x...",
      KICK: "x....."}, comp_by=[0, 26], bass_by=32, lead_by=[66, 56, 11], harmony="jazz")
style("countrywaltz", 86, 120, 3, 2, bass="R.....5.....", comp="..x.x.", drums={KICK: "x.....", BRUSH: "..x.x."},
      comp_by=[25], lead_by=[40, 22, 25])
style("polka", 105, 135, 2, 2, bass="R.5.", comp=".x.x", drums={KICK: "x.x.", SNARE: ".x.x"}, comp_by=[21, 58],
      bass_by=58, lead_by=[71, 56, 21], harmony="classic", lead=0.95, density=0.6)
style("march", 106, 124, 2, 4, bass="R...5...", comp="..x...x.", drums={KICK: "x...x...", SNARE: "x.oxx.oox.oxxxxx",
      CRASH: "x......."}, comp_by=[60, 61], bass_by=58, lead_by=[56, 72, 71], harmony="classic", lead=0.95)
style("tarantella", 120, 150, 2, 3, bass="R..5..", comp="..x..x", drums={TAMBOURINE: "x.xx.x"}, comp_by=[24, 21],
      lead_by=[71, 40, 73], harmony="classic", lead=1, density=0.8)
style("jig", 100, 126, 2, 3, bass="R.....", comp="x.xx.x", drums={FLOOR_TOM: "x.ox.o"}, comp_by=[25], lead_by=[40, 73,
      22], lead=1, density=0.95)
style("reel", 96, 120, 4, 4, bass="R.......5.......", comp="x...x...x...x...", comp_by=[25], lead_by=[40, 73, 105],
      lead=1, density=0.9)
style("swing", 110, 220, 4, 2, swing=0.64, bass="w.w.w.w.", comp="x..x..x.", drums={RIDE: "x.xxx.xx", PEDAL:
      "..x...x."}, comp_by=[0, 26], bass_by=32, lead_by=[66, 56, 11, 71], harmony="jazz", loose=0.01)
style("swing2", 130, 200, 4, 2, swing=0.62, bass="w.w.w.w.", comp="...x...x", drums={RIDE: "x.xxx.xx", PEDAL:
      "..x...x.", KICK: "o.o.o.o."}, comp_by=[0, 26], bass_by=32, lead_by=[66, 56, 57], harmony="jazz", loose=0.012)
style("bigband", 120, 190, 4, 2, swing=0.64, bass="w.w.w.w.", comp="x..x....", second="...x..x.", drums={RIDE:
      "x.xxx.xx", PEDAL: "..x...x.", SNARE: "...o...x"}, comp_by=[61, 56, 57], second_by=[61], bass_by=32, lead_by=[66,
      56, 57], harmony="jazz")
style("jazzballad", 60, 80, 4, 3, bass="R.....5.....", comp="X.....X.....", drums={BRUSH: "x..o..x..o..", PEDAL:
      "...x.....x.."}, comp_by=[0, 26], bass_by=32, lead_by=[66, 56, 65], harmony="jazz", chords_a_bar=2, time="lr",
      loose=0.015)
style("gypsy", 120, 200, 4, 2, swing=0.58, bass="R...5...", comp="xoxoxoxo", second="..x...x.", comp_by=[25],
      second_by=[25], bass_by=32, lead_by=[24, 40, 71], harmony="jazz")
style("shuffle", 90, 140, 4, 3, bass="R.R3.35.53.3", comp="x.xx.xx.xx.x", drums={KICK: "x.....x.....", SNARE:
      "...x.....x..", RIDE: "x.xx.xx.xx.x"}, comp_by=[27, 29], lead_by=[22, 29, 66], harmony="blues")
style("slowblues", 54, 72, 4, 3, bass="R.R5..R.R5..", comp="x.xx.xx.xx.x", drums={KICK: "x.....x.....", SNARE:
      "...x.....x..", HAT: "xoxxoxxoxxox"}, comp_by=[16, 0, 27], lead_by=[27, 22, 66], harmony="blues")
style("doowop", 58, 84, 4, 3, bass="R..R..5..5..", comp="xxxxxxxxxxxx", drums={KICK: "x.....x.....", SNARE:
      "...x.....x..", HAT: "xooxooxooxoo"}, comp_by=[0, 26], lead_by=[65, 52], pad=0.4)
style("gospel", 54, 74, 4, 3, bass="R....R5..R..", comp="X..x..X..x.x", drums={KICK: "x....xx.....", SNARE:
      "...x.....x.."}, comp_by=[16, 0], lead_by=[53, 0])
style("train", 100, 135, 4, 4, bass="R.......5...5...", comp="....x.......x...", drums={KICK: "x.......x.......",
      BRUSH: "ooxoooxoooxoooxo"}, comp_by=[25], lead_by=[25, 22, 105])
style("bluegrass", 100, 150, 4, 2, bass="R...5...", comp="..x...x.", second="x.xxx.xx", comp_by=[25], second_by=[105],
      bass_by=32, lead_by=[40, 105, 25], lead=0.9, density=0.8)
style("bluegrass2", 80, 120, 4, 2, bass="R.5.R.5.", comp=".x.x.x.x", comp_by=[25], bass_by=32, lead_by=[40, 105, 25],
      lead=0.9, density=0.9)
style("folk", 80, 130, 4, 2, bass="R...5...", comp="x.xx.xxx", comp_by=[24, 25], bass_by=32, lead_by=[73, 40, 22, 25],
      time="lr")
style("finger", 70, 120, 4, 2, bass="R.5.R.5.", comp=".1.2.3.2", comp_by=[24, 25], bass_by=24, lead_by=[24, 73],
      time="lr")
style("dbeat", 150, 190, 4, 2, bass="RRRRRRRR", comp="xxxxxxxx", drums={KICK: "x..xx.x.", SNARE: "..x...x.", CRASH:
      "x.x.x.x."}, comp_by=[30], lead_by=[30])
style("metalhalf", 80, 110, 4, 4, bass="R.RRR.RR..RRR.R.", comp="x.xxx.xx..xxx.x.", drums={KICK: "x.xxx.xx..xxx.x.",
      SNARE: "........x.......", CRASH: "x...x...x...x..."}, comp_by=[30], lead_by=[30])
style("motown", 112, 136, 4, 4, bass="R..R..5.R..3.5..", comp="....x.......x...", drums={KICK: "x.......x.x.....",
      SNARE: "x...x...x...x...", TAMBOURINE: "..x...x...x...x."}, comp_by=[27, 0], lead_by=[66, 53], pad=0.4)
style("sixties", 116, 150, 4, 2, bass="R..R5..5", comp="x.xxx.xx", drums={KICK: "x..x....", SNARE: "..xx..x.",
      TAMBOURINE: "xoxoxoxo"}, comp_by=[25, 27], lead_by=[16, 27])
style("secondline", 88, 112, 4, 4, swing=0.55, bass="R.....5.R...5...", comp="..x...x...x...x.", drums={KICK:
      "x..x..x...x.x...", SNARE: "x.oxoox.ox.oxoo."}, comp_by=[0], bass_by=58, lead_by=[56, 57, 71], harmony="blues")
style("bolero3", 66, 80, 3, 6, bass="R.....5.....5.....", comp="......x.....x.....", drums={SNARE:
      "x.xxxx.xx.xxx.x.x."}, comp_by=[45, 46], bass_by=43, lead_by=[73, 71, 68], harmony="classic", lead=0.9)
style("takefive", 150, 180, 5, 2, swing=0.62, bass="R..R..5.5.", comp="x..x..x.x.", drums={RIDE: "x.xxx.x.x.", KICK:
      "x.....x...", PEDAL: "..x...x..."}, comp_by=[0], bass_by=32, lead_by=[65], harmony="vamp")
style("five", 100, 150, 5, 2, bass="R..R..5.5.", comp="X.....X...", drums={KICK: "x..x..x...", SNARE: "..x...x.x.",
      HAT: "xoxoxoxoxo"}, comp_by=[27, 0])
style("money7", 110, 135, 7, 2, bass="R.8.5.R.3.5.3.", comp="..x...x...x...", drums={KICK: "x...x...x.....", SNARE:
      "..x...x...x.x.", HAT: "xoxoxoxoxoxoxo"}, comp_by=[27], lead_by=[66, 30], harmony="vamp")
style("six8rock", 50, 76, 2, 3, bass="R....5", comp="012321", drums={KICK: "x.....", SNARE: "...x..", HAT: "xooxoo"},
      comp_by=[27, 25, 0], lead_by=[30, 40, 65], pad=0.3)
style("alberti", 90, 150, 4, 2, comp="02120212", comp_by=[0, 6, 46], bass_by=0, lead_by=[0, 73, 40], harmony="classic",
      lead=1, density=0.6, time="lr", loose=0.008)
style("stride", 80, 116, 4, 2, bass="R.5.R.5.", comp=".x.x.x.x", comp_by=[0, 3], bass_by=0, lead_by=[0], lead=1,
      density=0.8)
style("rag", 76, 104, 2, 4, bass="R...5...", comp="..x...x.", comp_by=[0, 3], bass_by=0, lead_by=[0, 3],
      harmony="classic", lead=1, density=0.75)
style("nocturne", 56, 90, 4, 3, bass="R...........", comp="012021012021", comp_by=[0], bass_by=0, lead_by=[0],
      harmony="classic", lead=1, density=0.3, time="r", loose=0.012)
style("minimal", 110, 170, 4, 2, bass="R.......", comp="01210121", second="x.......", comp_by=[0, 12, 11, 46],
      second_by=[0, 48], bass_by=32, lead_by=[0, 11], harmony="vamp", lead=0.4)
style("chorale", 60, 96, 4, 1, bass="wwww", comp="XXXX", comp_by=[19, 52, 48, 60], bass_by=19, lead_by=[19, 52],
      harmony="classic", chords_a_bar=2, lead=0.0, time="lr", loose=0.012)
style("hymn", 70, 110, 4, 2, bass="w.w.w.w.", comp="X.X.X.Xx", comp_by=[19, 0, 21], bass_by=19, lead_by=[0, 19],
      harmony="classic", chords_a_bar=2, lead=0.3, time="lr")
style("quartet", 90, 150, 4, 2, bass="R.R.5.R.", comp="xxxxxxxx", comp_by=[48, 40, 45], bass_by=42, lead_by=[40],
      harmony="classic", lead=1, density=0.5, loose=0.012)
style("quartetslow", 56, 84, 4, 2, bass="R...5...", comp="X...X...", comp_by=[48], bass_by=42, lead_by=[40],
      harmony="classic", lead=1, density=0.5, time="r", loose=0.02)
style("pizz", 100, 150, 4, 2, bass="R...5...", comp="..x...x.", comp_by=[45], bass_by=45, lead_by=[71, 73, 68],
      harmony="classic", lead=1, density=0.6)
style("epic", 80, 140, 4, 4, bass="R...............", comp="x.xxx.xxx.xxx.xx", drums={FLOOR_TOM: "x.......x.......",
      DEEP_KICK: "x.......x......."}, comp_by=[48, 49], bass_by=43, lead_by=[60, 61], pad=0.4, lead=0.7, density=0.2)
style("epic3", 90, 150, 3, 2, bass="R.....", comp="xoxoxo", drums={DEEP_KICK: "x.....", FLOOR_TOM: "x..x.x"},
      comp_by=[48], bass_by=43, lead_by=[60, 61], pad=0.4, lead=0.7, density=0.3)
style("trailer", 60, 90, 4, 4, bass="R...............", comp="xoxoxoxoxoxoxoxo", drums={DEEP_KICK: "x..............."},
      comp_by=[48, 45], bass_by=43, lead_by=[60], pad=0.5, lead=0.5, density=0.2)
style("ambient", 60, 90, 4, 2, bass="R.......", comp="0.1.2.3.", comp_by=[11, 12, 46, 5], bass_by=32, lead_by=[73],
      pad=0.9, lead=0.2, density=0.2, time="s")
style("pianofilm", 60, 84, 4, 2, bass="R.......", comp="01230123", comp_by=[0], bass_by=0, lead_by=[0, 40], pad=0.7,
      density=0.3, time="r")
style("musicbox", 70, 130, 3, 2, bass="R.....", comp="012121", comp_by=[10, 46, 8], bass_by=10, lead_by=[10],
      harmony="classic", lead=0.8, density=0.5)
style("handpan", 80, 120, 4, 4, bass="R.......5.......", comp="x..1..2.x.1...2.", drums={SHAKER: "oooooooooooooooo"},
      comp_by=[114, 108, 12], bass_by=114, harmony="vamp", lead=0.0)
style("djembe", 90, 135, 4, 4, drums={CONGA_LOW: "x.......x.......", CONGA_HIGH: "..xx..x...xx..x.", BELL:
      "x..x..x...x.x...", SHAKER: "x.oox.oox.oox.oo"}, harmony="vamp", lead=0)
style("corporate", 100, 126, 4, 2, bass="RRRRRRRR", comp="xxxxxxxx", drums={KICK: "x.x.x.x.", CLAP: "..x...x."},
      comp_by=[28, 27, 0], lead_by=[11, 9, 0], pad=0.6, density=0.4, time="s")
style("ukulele", 96, 124, 4, 2, swing=0.6, bass="R...5...", comp="x.xx.xxx", drums={KICK: "x...x...", CLAP:
      "..x...x."}, comp_by=[24], lead_by=[78, 11, 73])
style("halfpop", 66, 90, 4, 4, bass="R.........R.....", comp="x.......x.......", drums={KICK: "x.........x.....",
      SNARE: "........x.......", HAT: "x.x.x.x.x.x.x.xx"}, comp_by=[0, 27], pad=0.5)


class Clock:
    """Seconds of the beats, and of positions between them."""

    def __init__(self, dice, chosen, bpm, seconds):
        self.swing, self.steps = chosen.swing, chosen.steps
        if self.swing > 0.5:
            self.swing = min(0.67, max(0.5, self.swing + dice.uniform(-0.03, 0.03)))
        self.mode = dice.choice(chosen.time * 2 + "l")
        at = dice.uniform(0.1, 1.5)
        self.jumps = self.mode == "l" and dice.random() < 0.18
        self.ramp = dice.choice([0.85, 0.9, 1.1, 1.18]) if dice.random() < 0.12 else 1
        factor, jump_at = dice.choice([0.8, 0.88, 1.14, 1.25]), dice.uniform(0.35, 0.65) * seconds
        drift, phase, breath = 0, dice.uniform(0, 6), dice.uniform(4, 9)
        self.beats = []
        while at < seconds:
            self.beats.append(at)
            drift = 0.9 * drift + dice.gauss(0, 0.004 if self.mode != "s" else 0)
            tempo = bpm * (1 + (self.ramp - 1) * at / seconds) * (1 + drift)
            if self.mode == "r":
                tempo *= 1 + 0.045 * math.sin(phase + 2 * math.pi * at / breath) + dice.gauss(0, 0.008)
            if self.jumps and at > jump_at:
                tempo *= factor
            at += 60 / tempo
        self.whole = len(self.beats) // chosen.beats * chosen.beats  # beats of whole bars
        self.beats = self.beats[:self.whole + 1]

    def seconds(self, position):
        beat = int(position)
        part = position - beat
        if self.swing > 0.5 and self.steps in (1, 2):
            part = self.swung(part)
        elif self.swing > 0.5 and self.steps == 4:
            half = int(part * 2)
            part = (half + self.swung(part * 2 - half)) / 2
        if beat >= len(self.beats) - 1:
            return self.beats[-1] + (beat - len(self.beats) + 1 + part) * (self.beats[-1] - self.beats[-2])
        return self.beats[beat] + part * (self.beats[beat + 1] - self.beats[beat])

    def swung(self, part):
        if part < 0.5:
            return part / 0.5 * self.swing
        return self.swing + (part - 0.5) / 0.5 * (1 - self.swing)


class Score:
    """Notes as MIDI events (seconds, bytes)."""

    def __init__(self, dice, clock, loose):
        self.dice, self.clock, self.loose = dice, clock, loose
        self.events, self.channels, self.offsets = [], {}, {}

    def note(self, program, position, beats, pitch, velocity):
        channel = 9 if program == DRUMS else self.channel(program)
        if program not in self.offsets:
            self.offsets[program] = self.dice.gauss(0, 0.004)
        start = self.clock.seconds(position) + self.dice.gauss(0, self.loose) + self.offsets[program]
        start -= 0.045 if program in SLOW else 0
        end = max(start + 0.03, self.clock.seconds(position + beats) - 0.01)
        key = int(max(12, min(115, pitch)))
        loudness = int(max(1, min(127, velocity + self.dice.gauss(0, 5))))
        self.events += [(start, bytes([0x90 | channel, key, loudness])), (end, bytes([0x80 | channel, key, 0]))]

    def channel(self, program):
        if program not in self.channels:
            channel = len(self.channels)
            self.channels[program] = channel + (channel >= 9)
            self.events.append((0, bytes([0xC0 | self.channels[program], program])))
        return self.channels[program]

    def write(self, path):
        track, last = b"", 0
        events = sorted((int(round(max(0, at) * 1000)), i, event) for i, (at, event) in enumerate(self.events))
        for at, _, event in events:
            track += variable_length(at - last) + event
            last = at
        track += b"\x00\xff\x2f\x00"
        with open(path, "wb") as file:
            file.write(b"MThd" + struct.pack(">IHHH", 6, 0, 1, 500) + b"MTrk" + struct.pack(">I", len(track)) + track)


def variable_length(value):
    digits = [value & 127]
    value >>= 7
    while value:
        digits.append(128 | (value & 127))
        value >>= 7
    return bytes(reversed(digits))


class Band:
    """Who plays what in one piece."""

    def __init__(self, dice, chosen, bars):
        self.style, self.dice = chosen, dice
        self.key, self.minor = dice.randrange(12), dice.random() < 0.4
        self.progression = dice.choice(PROGRESSIONS[chosen.harmony])
        self.comp = dice.choice(chosen.comp_by)
        self.bass = dice.choice([32, 33, 34, 36]) if chosen.bass_by == 33 else chosen.bass_by
        self.lead, self.second = dice.choice(chosen.lead_by), dice.choice(chosen.second_by)
        self.pad = dice.choice(PADS) if dice.random() < chosen.pad else None
        self.leads = dice.random() < chosen.lead
        without_drums = bool(chosen.drums) and dice.random() < 0.15
        self.drums = {} if without_drums else chosen.drums
        self.motifs = [self.motif(), self.motif()]
        self.intro = dice.choice([0, 0, 1, 2, 4])
        self.break_begin, self.break_bars = dice.randrange(4, max(5, bars)), dice.choice([0, 0, 2, 4])
        self.fills = dice.random() < 0.6
        self.enters_late = {drum: dice.randrange(0, 5) > 0 for drum in self.drums}

    def motif(self):
        """Two bars of steps and degrees."""
        notes, degree, steps = [], self.dice.randrange(0, 5), self.style.steps
        for step in range(2 * self.style.beats * steps):
            on_half = (steps % 2 == 0 and step % (steps // 2) == 0) or steps == 3
            weight = 1.6 if step % steps == 0 else 1.0 if on_half else 0.35
            if self.dice.random() < self.style.density * weight:
                degree = max(-3, min(9, degree + self.dice.choice([-2, -1, -1, 0, 1, 1, 2])))
                notes.append((step, degree))
        return notes

    def root_and_third(self, bar, part):
        """Pitch class of the chord's root and its third, `part` of the way through the bar."""
        rate = self.style.chords_a_bar
        chord = self.progression[(bar * rate + min(rate - 1, int(part * rate))) % len(self.progression)]
        minor = (chord in MINOR_CHORDS) != (self.minor and chord in (0, 5))
        return self.key + (9 if self.minor else 0) + chord, 3 if minor else 4


class Piece:
    def __init__(self, seed, index):
        self.dice = random.Random(seed * 100003 + index)
        self.style = STYLES[(index + seed * 7) % len(STYLES)] if index < len(STYLES) else self.dice.choice(STYLES)
        self.noise_seed = seed * 1000 + index
        self.name = f"{self.style.name}_{seed}_{index:03d}"
        self.bpm = math.exp(self.dice.uniform(math.log(self.style.slowest), math.log(self.style.fastest)))
        self.clock = Clock(self.dice, self.style, self.bpm, self.dice.uniform(32, 52))
        self.score = Score(self.dice, self.clock, self.style.loose)
        self.steps = self.style.beats * self.style.steps
        self.bars = self.clock.whole // self.style.beats
        self.band = Band(self.dice, self.style, self.bars)
        for bar in range(self.bars):
            self.write_bar(bar)
        self.end()

    def pattern(self, text, bar):
        return text[bar % 2 * self.steps:(bar % 2 + 1) * self.steps] if len(text) >= 2 * self.steps else text

    def place(self, bar, step):
        return bar * self.style.beats + step / self.style.steps

    def write_bar(self, bar):
        full = bar >= self.band.intro
        breaks = self.band.break_begin <= bar < self.band.break_begin + self.band.break_bars
        self.write_drums(bar, full, breaks)
        if self.style.bass and (full or bar % 2 == 0 or not self.band.drums) and not (
                breaks and self.dice.random() < 0.5):
            self.write_bass(bar)
        for text, program, octave in ((self.style.comp, self.band.comp, 0), (self.style.second, self.band.second, 12)):
            if text and not (breaks and not self.band.drums):
                self.write_chords(bar, text, program, octave)
        if self.band.pad is not None and full:
            self.write_pad(bar)
        if self.band.leads and full and bar % 8 not in (6, 7) and bar % 2 == 0:
            self.write_tune(bar)

    def write_drums(self, bar, full, breaks):
        fills = self.band.fills and bar % 8 == 7
        for drum, text in self.band.drums.items():
            if (not full and self.band.enters_late[drum]) or (breaks and drum in (KICK, SNARE, CLAP)):
                continue
            text = self.pattern(text, bar)
            if fills and drum in (SNARE, HAT, RIDE):
                text = text[:self.steps // 2]
            for step, how in enumerate(text[:self.steps]):
                if how in "xo":
                    loudness = {"x": 104, "o": 64}[how] + (6 if step == 0 else 0) - (14 if drum in SOFTER else 0)
                    self.score.note(DRUMS, self.place(bar, step), 0.2, drum, loudness)
        if self.band.drums and fills:
            for step in range(self.steps // 2, self.steps):
                if self.dice.random() < 0.6:
                    drum = self.dice.choice([SNARE, FLOOR_TOM, LOW_TOM, MID_TOM])
                    self.score.note(DRUMS, self.place(bar, step), 0.2, drum, self.dice.uniform(70, 105))
        if self.band.drums and bar % 8 == 0 and full and self.style.name not in ("djembe", "handpan"):
            if self.dice.random() < 0.7:
                self.score.note(DRUMS, self.place(bar, 0), 1, CRASH, 95)

    def hits(self, text, bar):
        """Steps, their characters and the step of the next hit."""
        text = self.pattern(text, bar)
        steps = [step for step in range(min(self.steps, len(text))) if text[step] != "."]
        return [(step, text[step], after) for step, after in zip(steps, steps[1:] + [self.steps])]

    def write_bass(self, bar):
        for number, (step, how, after) in enumerate(self.hits(self.style.bass, bar)):
            root, third = self.band.root_and_third(bar, step / self.steps)
            walked = [0, third, 7, self.dice.choice([9, 5, 10, 2])][number % 4]
            pitch = 33 + (root - 9) % 12 + {"R": 0, "5": 7, "8": 12, "3": third, "w": walked}.get(how, 0)
            length = min((after - step) / self.style.steps, 2.0) * 0.92
            self.score.note(self.band.bass, self.place(bar, step), length, pitch, 88 + (8 if step == 0 else 0))

    def write_chords(self, bar, text, program, octave):
        grid = self.style.steps
        for step, how, after in self.hits(text, bar):
            root, third = self.band.root_and_third(bar, step / self.steps)
            base = 48 + root % 12 + octave
            notes = [base, base + third, base + 7, base + 12]
            if base > 56:
                notes = [base, base + third - 12, base - 5, base]
            loudness = 72 + (7 if step % grid == 0 else 0) + (4 if step == 0 else 0)
            if how in "xoX":
                length = (after - step) / grid * 0.97 if how == "X" else min((after - step) / grid, 0.5)
                for pitch in sorted(set(notes[:3])):
                    self.score.note(program, self.place(bar, step), length, pitch, loudness - (18 if how == "o" else 0))
            else:
                self.score.note(program, self.place(bar, step), 1.2 / grid * 1.5, notes[int(how)], loudness)

    def write_pad(self, bar):
        rate = self.style.chords_a_bar
        for number in range(rate):
            root, third = self.band.root_and_third(bar, number / rate)
            for above in (0, third, 7):
                self.score.note(self.band.pad, (bar + number / rate) * self.style.beats,
                                self.style.beats / rate * 0.98, 55 + (root - 7) % 12 + above, 58)

    def write_tune(self, bar):
        grid, motif = self.style.steps, self.band.motifs[bar // 4 % 2]
        for number, (step, degree) in enumerate(motif):
            after = motif[number + 1][0] if number + 1 < len(motif) else step + grid
            if bar + step // self.steps >= self.bars:
                continue
            pitch = 67 + self.band.key % 7 - 5 + 12 * (degree // 7) + SCALE[degree % 7]
            self.score.note(self.band.lead, self.place(bar, step), min((after - step) / grid, 2) * 0.9, pitch,
                            84 + (6 if step % grid == 0 else 0))

    def end(self):
        """The last bar line has a chord, or the piece fades out."""
        clock, band = self.clock, self.band
        self.fades_out = self.dice.random() < 0.2
        has_chord = not self.fades_out and len(clock.beats) > clock.whole
        if has_chord:
            root = (band.key + (9 if band.minor else 0)) % 12
            for program, pitch in ((band.bass, 33 + (root - 9) % 12), (band.comp, 48 + root), (band.comp, 55 + root)):
                self.score.note(program, clock.whole, 2, pitch, 90)
            if band.drums:
                self.score.note(DRUMS, clock.whole, 1, CRASH, 100)
                self.score.note(DRUMS, clock.whole, 1, KICK, 100)
        self.beats = clock.beats[:clock.whole + has_chord]
        self.seconds = (clock.beats[clock.whole] if len(clock.beats) > clock.whole else clock.beats[-1]) + (
            2.5 if has_chord else 0.2)

    def tags(self, font, noise):
        tags = [f"metre_{self.style.beats}/4", "drums" if self.band.drums else "no_drums", "font_" + font[:5]]
        tags += ["swung"] * (self.clock.swing > 0.5) + ["expressive"] * (self.clock.mode == "r")
        tags += ["step"] * self.clock.jumps + ["ramp"] * (self.clock.ramp != 1)
        return tags + ["fade"] * self.fades_out + ["noise"] * (noise > 0) + [self.style.name]


def run(*words):
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def record(piece, fonts, font, folder):
    """Plays and treats the piece."""
    path = os.path.join(folder, piece.name)
    midi, played, mp3, wav = path + ".mid", path + "_.wav", path + ".mp3", path + ".wav"
    piece.score.write(midi)
    font = fonts[font % len(fonts)] if piece.dice.random() < 0.9 else fonts[1 % len(fonts)]
    run("fluidsynth", "-ni", "-q", "-g", "0.5", "-r", "32000", "-F", played, font, midi)
    noise, kilobits = piece.dice.choice([0, 0, 0, 0, 0.002, 0.008]), piece.dice.choice([0, 0, 0, 48, 64])
    chain = f"atrim=0:{piece.seconds},volume={piece.dice.choice([0.3, 1, 1])}"
    if piece.fades_out:
        chain += f",afade=t=out:st={piece.seconds - 7}:d=7"
    if piece.dice.random() < 0.1:
        chain += ",afade=t=in:d=4"
    if piece.dice.random() < 0.15:
        chain += piece.dice.choice([",lowpass=f=4000", ",highpass=f=150", ",acompressor=ratio=6:threshold=0.05"])
    source = played
    if kilobits:
        run("ffmpeg", "-y", "-i", played, "-b:a", f"{kilobits}k", mp3)
        source = mp3
    inputs = ["-i", source]
    if noise:
        hiss = f"anoisesrc=a={noise}:c=pink:d={piece.seconds}:seed={piece.noise_seed}"
        inputs += ["-f", "lavfi", "-i", hiss, "-filter_complex",
                   f"[0]{chain},aformat=channel_layouts=mono[a];[a][1]amix=inputs=2:duration=first:normalize=0"]
    else:
        inputs += ["-af", chain]
    run("ffmpeg", "-y", *inputs, "-ac", "1", "-ar", "16000", wav)
    for scratch in (midi, played, mp3):
        if os.path.exists(scratch):
            os.remove(scratch)
    with open(path + ".json", "w") as file:
        json.dump({"bpm": piece.bpm, "beats": piece.beats, "down_beats": piece.beats[::piece.style.beats],
                   "metre": f"{piece.style.beats}/4", "tags": piece.tags(os.path.basename(font), noise)}, file)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--pieces", type=int, default=162)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    fonts = [font for font in FONTS if os.path.exists(font)]
    if not fonts:
        parser.error("no sound font found; expected one of " + ", ".join(FONTS))
    os.makedirs(options.folder, exist_ok=True)
    for index in range(options.pieces):
        record(Piece(options.seed, index), fonts, index * 3 + options.seed, options.folder)


if __name__ == "__main__":
    main()
