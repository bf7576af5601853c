# LibTorch from a Python wheel or a LibTorch archive, as the imported targets LibTorch::LibTorch
# (libtorch_cpu and libc10 only) and, where the file exists, LibTorch::c10_cuda. The package's own
# TorchConfig.cmake is not used because that of a CUDA wheel demands a whole CUDA installation even
# for the CPU. Looked for in LibTorch_ROOT, Torch_DIR and CMAKE_PREFIX_PATH.
if(TARGET LibTorch::LibTorch)
  set(LibTorch_FOUND TRUE)
  return()
endif()
set(_torch_hints "")
if(Torch_DIR)
  list(APPEND _torch_hints "${Torch_DIR}/../../..")
endif()
file(GLOB _torch_local "${CMAKE_CURRENT_LIST_DIR}/../.deps/torch/lib/python3*/site-packages/torch")
find_path(LibTorch_INCLUDE_DIR NAMES ATen/core/Tensor.h
  HINTS ${LibTorch_ROOT} ${_torch_hints} ${_torch_local}
  PATH_SUFFIXES include torch/include lib/python3.11/site-packages/torch/include)
get_filename_component(_torch_root "${LibTorch_INCLUDE_DIR}" DIRECTORY)
find_library(LibTorch_CPU_LIBRARY NAMES torch_cpu HINTS "${_torch_root}/lib" NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY NAMES c10 HINTS "${_torch_root}/lib" NO_DEFAULT_PATH)
find_library(LibTorch_C10_CUDA_LIBRARY NAMES c10_cuda HINTS "${_torch_root}/lib" NO_DEFAULT_PATH)
if(LibTorch_INCLUDE_DIR)
  foreach(_file torch/headeronly/version.h torch/csrc/api/include/torch/version.h)
    if(EXISTS "${LibTorch_INCLUDE_DIR}/${_file}")
      file(STRINGS "${LibTorch_INCLUDE_DIR}/${_file}" _line REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) [0-9]+")
      string(REGEX REPLACE "[^0-9;]" "" _version "${_line}")
      string(REPLACE ";" "." LibTorch_VERSION "${_version}")
      if(LibTorch_VERSION)
        break()
      endif()
    endif()
  endforeach()
endif()
include(FindPackageHandleStandardArgs)
set(_torch_remedy "Pass -DTorch_DIR=<torch>/share/cmake/Torch or -DCMAKE_PREFIX_PATH=<torch>.")
if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/../dev") # not in an installed copy
  string(PREPEND _torch_remedy "Run ./dev setup, or: ")
endif()
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  VERSION_VAR LibTorch_VERSION
  REASON_FAILURE_MESSAGE "${_torch_remedy}")
if(LibTorch_FOUND)
  # Installed programs find LibTorch where it was built against; other places by LD_LIBRARY_PATH.
  set(VMR_TORCH_FOLDER "${_torch_root}" CACHE INTERNAL "")
  set(VMR_TORCH_LIBRARY_FOLDER "${_torch_root}/lib" CACHE INTERNAL "")
  add_library(LibTorch::c10 SHARED IMPORTED GLOBAL)
  set_target_properties(LibTorch::c10 PROPERTIES IMPORTED_LOCATION "${LibTorch_C10_LIBRARY}")
  add_library(LibTorch::LibTorch SHARED IMPORTED GLOBAL)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    IMPORTED_LOCATION "${LibTorch_CPU_LIBRARY}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES
      "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_INCLUDE_DIRECTORIES
      "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_LINK_LIBRARIES LibTorch::c10
    # libtorch_cpu finds libcudart and libcupti through its own run path.
    INTERFACE_LINK_OPTIONS "-Wl,--allow-shlib-undefined")
  if(LibTorch_C10_CUDA_LIBRARY)
    add_library(LibTorch::c10_cuda SHARED IMPORTED GLOBAL)
    set_target_properties(LibTorch::c10_cuda PROPERTIES
      IMPORTED_LOCATION "${LibTorch_C10_CUDA_LIBRARY}")
  endif()
endif()
mark_as_advanced(LibTorch_INCLUDE_DIR LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_C10_CUDA_LIBRARY)
