# muster_module(slurm SOURCES a.cc b.cc HEADERS a.h b.h LIBRARIES muster::base)
#
# One static library, target muster_slurm, alias muster::slurm. Every listed header is also compiled
# alone, in a target of its own (muster_slurm_headers, part of the lint), so that no header leans on
# what another one included before it.
function(muster_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;LIBRARIES;PRIVATE_LIBRARIES" ${ARGN})
  add_library(muster_${name} STATIC ${ARG_SOURCES})
  add_library(muster::${name} ALIAS muster_${name})
  target_link_libraries(muster_${name}
    PUBLIC muster_root ${ARG_LIBRARIES}
    PRIVATE $<BUILD_INTERFACE:muster_warnings> ${ARG_PRIVATE_LIBRARIES})
  muster_check_headers(${name} ${ARG_HEADERS})
endfunction()

function(muster_check_headers name)
  if(NOT MUSTER_BUILD_TESTS OR NOT ARGN)
    return()
  endif()
  set(units)
  foreach(header IN LISTS ARGN)
    file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/${header}")
    string(REPLACE "/" "_" unit "${path}")
    set(unit "${CMAKE_CURRENT_BINARY_DIR}/headers/${unit}.cc")
    if(NOT EXISTS "${unit}")
      file(WRITE "${unit}" "#include \"${path}\"  // compiles alone\n")
    endif()
    list(APPEND units "${unit}")
  endforeach()
  add_library(muster_${name}_headers OBJECT EXCLUDE_FROM_ALL ${units})
  target_link_libraries(muster_${name}_headers PRIVATE muster_${name} muster_warnings)
  set_property(GLOBAL APPEND PROPERTY MUSTER_HEADER_TARGETS muster_${name}_headers)
endfunction()
