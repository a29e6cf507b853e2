# What this build contains: language level, warnings, sanitizers, optional parts.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 99)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release or RelWithDebInfo" FORCE)
endif()

option(MUSTER_BUILD_TESTS "Build the tests and benches" ON)
option(MUSTER_WERROR "Treat warnings as errors" OFF)
option(MUSTER_FUZZ "Build the fuzz targets for libFuzzer; needs clang (tests/fuzz/README.md)" OFF)
set(MUSTER_SANITIZE "" CACHE STRING "Sanitizers, e.g. address,undefined or thread")
set(MUSTER_WITH_NCCL AUTO CACHE STRING "NCCL backend of muster-bench: AUTO, ON or OFF")
set(MUSTER_WITH_LIBFABRIC AUTO CACHE STRING "libfabric backend of muster-bench: AUTO, ON or OFF")
set(MUSTER_WITH_MUNGE AUTO CACHE STRING "munge credentials: AUTO, ON or OFF")
set_property(CACHE MUSTER_WITH_NCCL MUSTER_WITH_LIBFABRIC MUSTER_WITH_MUNGE
             PROPERTY STRINGS AUTO ON OFF)

find_program(MUSTER_CCACHE ccache)
if(MUSTER_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER "${MUSTER_CCACHE}")
  set(CMAKE_CXX_COMPILER_LAUNCHER "${MUSTER_CCACHE}")
endif()

add_library(muster_warnings INTERFACE)
target_compile_options(muster_warnings INTERFACE
  -Wall -Wextra -Wshadow
  $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wnon-virtual-dtor>
  # gcc 12: std::string operator+(const char*, string&&) warns falsely at -O2 (gcc bug 105651); drop
  # at gcc 13.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>
  # gcc: falsely about std::optional members that move at -O2 (gcc bug 80635).
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-maybe-uninitialized>
  $<$<BOOL:${MUSTER_WERROR}>:-Werror>)

# The roots of all include paths: "rendezvous/base/result.h" is written the same everywhere.
add_library(muster_root INTERFACE)
target_include_directories(muster_root INTERFACE
  "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>"
  "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/muster>")

if(MUSTER_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    message(FATAL_ERROR "MUSTER_FUZZ needs clang, this is ${CMAKE_CXX_COMPILER_ID}: "
                        "use `cmake --preset fuzz`")
  endif()
  set(MUSTER_SANITIZE "fuzzer-no-link,address,undefined")
endif()
if(MUSTER_SANITIZE)
  add_compile_options(-fsanitize=${MUSTER_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${MUSTER_SANITIZE})
  if(MUSTER_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

# One line of the table that configure prints at its end.
function(muster_feature name state reason)
  set_property(GLOBAL APPEND PROPERTY MUSTER_FEATURES "${name}|${state}|${reason}")
endfunction()

# muster_decide(NCCL found "why not"): sets MUSTER_HAVE_NCCL from MUSTER_WITH_NCCL and what was found.
function(muster_decide part found reason)
  set(wish "${MUSTER_WITH_${part}}")
  if(wish STREQUAL "OFF")
    set(have OFF)
    set(reason "switched off by MUSTER_WITH_${part}=OFF")
  elseif(found)
    set(have ON)
  elseif(wish STREQUAL "AUTO")
    set(have OFF)
  else()
    message(FATAL_ERROR "MUSTER_WITH_${part}=ON, but ${reason}")
  endif()
  set(MUSTER_HAVE_${part} ${have} PARENT_SCOPE)
  string(TOLOWER "${part}" name)
  muster_feature("${name}" "${have}" "${reason}")
endfunction()

function(muster_print_features)
  get_property(features GLOBAL PROPERTY MUSTER_FEATURES)
  message(STATUS "muster ${PROJECT_VERSION}, ${CMAKE_BUILD_TYPE}")
  foreach(feature IN LISTS features)
    string(REPLACE "|" ";" columns "${feature}")
    list(GET columns 0 name)
    list(GET columns 1 state)
    list(GET columns 2 reason)
    string(SUBSTRING "${name}            " 0 12 name)
    string(SUBSTRING "${state}   " 0 4 state)
    message(STATUS "  ${name}${state} ${reason}")
  endforeach()
endfunction()

# Libraries that every build needs.
find_package(Boost 1.74 REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tl-expected QUIET)
if(NOT TARGET tl::expected)
  # One header, often carried along alone.
  find_path(MUSTER_EXPECTED_INCLUDE tl/expected.hpp)
  mark_as_advanced(MUSTER_EXPECTED_INCLUDE)
  if(NOT MUSTER_EXPECTED_INCLUDE)
    message(FATAL_ERROR "tl/expected.hpp was not found (Debian package libexpected-dev)")
  endif()
  add_library(tl::expected INTERFACE IMPORTED GLOBAL)
  set_target_properties(tl::expected PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${MUSTER_EXPECTED_INCLUDE}")
endif()
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(LIBMD QUIET IMPORTED_TARGET libmd)
endif()
if(NOT TARGET PkgConfig::LIBMD)
  find_path(MUSTER_LIBMD_INCLUDE sha2.h)
  find_library(MUSTER_LIBMD_FILE NAMES md libmd.so.0)
  mark_as_advanced(MUSTER_LIBMD_INCLUDE MUSTER_LIBMD_FILE)
  if(NOT MUSTER_LIBMD_INCLUDE OR NOT MUSTER_LIBMD_FILE)
    message(FATAL_ERROR "libmd with its sha2.h was not found (Debian package libmd-dev)")
  endif()
  add_library(PkgConfig::LIBMD INTERFACE IMPORTED GLOBAL)
  set_target_properties(PkgConfig::LIBMD PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${MUSTER_LIBMD_INCLUDE}"
    INTERFACE_LINK_LIBRARIES "${MUSTER_LIBMD_FILE}")
endif()
