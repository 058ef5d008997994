# SPDX-License-Identifier: MIT
# small.*: the tests of tasks once more, with a deque and a ready queue of two entries. What is rare at 1024 is the rule
# then: a full deque, children in their parents' place, woken tasks that spill.

set(small_tests fork fork_full group member gather resource scope cancel timer permits future generator yield iop file_turns
	streams streams_wait streams_crew streams_ahead limiter pool report report_end)

add_library(magpie_small STATIC EXCLUDE_FROM_ALL ${magpie_sources})
target_include_directories(magpie_small PUBLIC ${magpie_root}/include ${magpie_root}/src)
target_compile_definitions(magpie_small PUBLIC MAGI_DEQUE_CAPACITY=2
	$<$<BOOL:${MAGPIE_DEBUG}>:MAGPIE_DEBUG=1>
	$<$<BOOL:${MAGPIE_FORCED_MIGRATION}>:MAGI_FORCED_MIGRATION=1>)
target_link_libraries(magpie_small PRIVATE magpie_flags PkgConfig::URING Threads::Threads)

foreach(name IN LISTS small_tests)
	set(source ${PROJECT_SOURCE_DIR}/tests/unit/test_${name}.c)
	if(NOT EXISTS ${source})
		continue()
	endif()
	set(target small_${name})
	add_executable(${target} ${source})
	target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
	target_link_libraries(${target} PRIVATE magpie_flags magpie_small magpie_criterion PkgConfig::URING
		Threads::Threads m)
	set_target_properties(${target} PROPERTIES
		OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/tests/small)
	magpie_add_test(small.${name} COMMAND $<TARGET_FILE:${target}> -j1 --verbose TIMEOUT 180)
endforeach()
