# judge-table: how well the verdict finds faults of synthetic clusters (collectives-bench/MEASURING.md).
if(TARGET muster_synthetic_cluster)
  add_executable(judge-table judge_table/main.cc judge_table/sweep.cc)
  target_link_libraries(judge-table PRIVATE
    muster_synthetic_cluster muster_root muster_warnings CLI11::CLI11 fmt::fmt)
  set_target_properties(judge-table PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endif()
