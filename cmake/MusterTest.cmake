# muster_add_test(hostlist_test LABEL unit SOURCES hostlist_test.cc LIBRARIES muster::slurm [TIMEOUT 60])
#
# A GoogleTest program, one ctest entry. LABEL is one of unit, component, system, gpu, chaos.
# muster_add_script_test(name LABEL system COMMAND script args...) does the same for a script, which
# exits 77 when it must be skipped, after printing why.

if(MUSTER_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_package(benchmark QUIET)
endif()

function(muster_add_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "SOURCES;LIBRARIES" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_LIBRARIES} GTest::gtest GTest::gtest_main muster_warnings
                                        muster_root)
  set_property(GLOBAL APPEND PROPERTY MUSTER_TARGETS_${ARG_LABEL} ${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT})
endfunction()

function(muster_add_script_test name)
  cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "COMMAND;ENVIRONMENT" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300)
  endif()
  add_test(NAME ${name} COMMAND ${ARG_COMMAND})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABEL}" TIMEOUT ${ARG_TIMEOUT}
                                          SKIP_RETURN_CODE 77 ENVIRONMENT "${ARG_ENVIRONMENT}")
endfunction()

# Targets muster_unit_tests, muster_component_tests and muster_system_tests: what a label needs built.
# The programs belong to all but unit. Called once, after all tests are known.
function(muster_add_label_targets)
  set(programs muster muster-bench muster-rendezvous child_zoo fault_point)
  foreach(module muster_bench_fabric_module muster_bench_nccl_module)
    if(TARGET ${module})
      list(APPEND programs ${module})
    endif()
  endforeach()
  foreach(label unit component system gpu chaos)
    get_property(tests GLOBAL PROPERTY MUSTER_TARGETS_${label})
    add_custom_target(muster_${label}_tests)
    add_dependencies(muster_${label}_tests muster_base ${tests})
    if(NOT label STREQUAL "unit")
      add_dependencies(muster_${label}_tests ${programs})
    endif()
  endforeach()
endfunction()
