// Owner of the precompiled torch header; see CMakeLists.txt of this library.
